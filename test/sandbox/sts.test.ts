import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { expect, test } from "vitest";
import { createSteppedClock } from "../../sandbox/clock.ts";
import { openAccount, openHttpAccount, type TestAccount } from "./account.ts";

const RoleArn = "arn:aws:iam::444455556666:role/team/deploy";

async function assume(
  { config }: TestAccount,
  input: Partial<AssumeRoleCommandInput> = {},
): Promise<TestAccount["config"]["credentials"]> {
  const { Credentials } = await new STSClient(config).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: "lockstep", ...input }),
  );
  return {
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretAccessKey ?? "",
    sessionToken: Credentials?.SessionToken ?? "",
  };
}

test.each([
  ["a role ARN that is none", { RoleArn: "arn:aws:iam::44:role/deploy" }, "ValidationError"],
  ["a session name with a space", { RoleSessionName: "lock step" }, "ValidationError"],
  ["a session name of one character", { RoleSessionName: "l" }, "ValidationError"],
  ["less than 15 minutes", { DurationSeconds: 899 }, "ValidationError"],
  ["longer than the role allows", { DurationSeconds: 3601 }, "ValidationError"],
  ["a missing external id", {}, "AccessDenied"],
  ["a wrong external id", { ExternalId: "other" }, "AccessDenied"],
])("AssumeRole refuses %s", async (_, input, name) => {
  const account = openAccount();
  account.sandbox.identities.setRole({ arn: RoleArn, externalId: "secret" });
  const valid = name === "AccessDenied" ? {} : { ExternalId: "secret" };
  await expect(assume(account, { ...valid, ...input })).rejects.toMatchObject({ name });
});

test("a role assumed by a role lasts an hour at most, even when it may last longer", async () => {
  const account = openAccount();
  account.sandbox.identities.setRole({ arn: RoleArn, maxSessionSeconds: 43_200 });
  await assume(account, { DurationSeconds: 43_200 });
  const chained = { ...account, config: { ...account.config, credentials: await assume(account) } };
  await expect(assume(chained, { DurationSeconds: 3601 })).rejects.toMatchObject({
    message: expect.stringContaining("role chaining"),
  });
});

test("an unknown key, a session without its token and an expired session are refused, each in its service's words", async () => {
  const clock = createSteppedClock();
  const { config, sandbox } = openAccount({ clock });
  const list = (credentials: TestAccount["config"]["credentials"]): Promise<unknown> =>
    new ECRClient({ ...config, credentials }).send(new DescribeRepositoriesCommand({}));
  const session = await assume({ config, sandbox });
  await expect(list({ accessKeyId: "AKIANOBODY", secretAccessKey: "x" })).rejects.toMatchObject({
    name: "UnrecognizedClientException",
  });
  await expect(list({ accessKeyId: session.accessKeyId, secretAccessKey: "x" })).rejects.toMatchObject({
    name: "UnrecognizedClientException",
  });
  await list(session);
  clock.advanceTo(clock.now() + 3_600_000);
  await expect(list(session)).rejects.toMatchObject({ name: "ExpiredTokenException" });
  await expect(
    new STSClient({ ...config, credentials: session }).send(new GetCallerIdentityCommand({})),
  ).rejects.toMatchObject({ name: "ExpiredToken" });
});

test("the SDK's own role provider acts in the role's account, over real HTTP", async () => {
  const { config } = await openHttpAccount();
  const credentials = fromTemporaryCredentials({
    params: { RoleArn, RoleSessionName: "lockstep" },
    masterCredentials: config.credentials,
    clientConfig: config,
  });
  const who = await new STSClient({ ...config, credentials }).send(new GetCallerIdentityCommand({}));
  expect(who).toMatchObject({ Account: "444455556666", Arn: "arn:aws:sts::444455556666:assumed-role/deploy/lockstep" });
  const root = await new STSClient(config).send(new GetCallerIdentityCommand({}));
  expect(root).toMatchObject({ Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/sandbox" });
});

test("an account number is an access key of that account", async () => {
  const { config } = openAccount();
  const credentials = { accessKeyId: "999988887777", secretAccessKey: "x" };
  expect(await new STSClient({ ...config, credentials }).send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: "999988887777",
  });
});

test.each([
  [{ deny: ["ecr:Describe*"] }, "with an explicit deny in an identity-based policy"],
  [{ allow: ["ecs:*"] }, "because no identity-based policy allows the ecr:DescribeRepositories action"],
])("a role registered with %j is denied in IAM's words", async (policy, reason) => {
  const account = openAccount();
  account.sandbox.identities.setRole({ arn: RoleArn, ...policy });
  const ecr = new ECRClient({ ...account.config, credentials: await assume(account) });
  await expect(ecr.send(new DescribeRepositoriesCommand({}))).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: `User: arn:aws:sts::444455556666:assumed-role/deploy/lockstep is not authorized to perform: ecr:DescribeRepositories on resource: arn:aws:ecr:eu-central-1:444455556666:repository/* ${reason}`,
  });
});
