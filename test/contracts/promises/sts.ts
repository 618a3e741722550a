// STS: who a session is.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { type Account, failure, present } from "../account.ts";
import type { Contract } from "../contract.ts";

const ROLE = "arn:aws:iam::210987654321:role/path/of/deploy";

function assume({ sts }: Account, RoleSessionName: string) {
  return sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName }));
}

export const STS: readonly Contract[] = [
  {
    name: "GetCallerIdentity names an account of twelve digits and an ARN in it",
    async observe({ sts }) {
      const { Account: account = "", Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
      return /^\d{12}$/.test(account) && Arn.includes(`::${account}:`);
    },
    promised: true,
  },
  {
    name: "a session is named by role and session, without the role's path",
    async observe(account) {
      return (await assume(account, "shop-prod-12")).AssumedRoleUser?.Arn;
    },
    promised: "arn:aws:sts::210987654321:assumed-role/deploy/shop-prod-12",
  },
  {
    name: "credentials of a session belong to the role's account, and end within the hour",
    async observe(account) {
      const { Credentials } = await assume(account, "shop-prod-12");
      const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "", Expiration } = present(Credentials);
      const sts = account.stsAs({
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
      });
      const { Account: whose } = await sts.send(new GetCallerIdentityCommand({}));
      const leftMs = (Expiration?.getTime() ?? 0) - Date.now();
      return [whose, leftMs > 3_500_000 && leftMs < 3_700_000];
    },
    promised: ["210987654321", true],
  },
  {
    name: "a session name with characters that IAM does not take is refused",
    observe: (account) => failure(assume(account, "shop/prod#12")),
    promised: "400 ValidationError",
    moto: {
      says: "no error",
      evidence: "RoleSessionName has the pattern [\\w+=,.@-]* (API_AssumeRole); moto does not check it.",
    },
  },
];
