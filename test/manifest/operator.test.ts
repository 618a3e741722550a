// The operator's file: who may reach what, and every mistake in it at its line.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_OPERATOR, readOperator, type Operator } from "../../controller/manifest/operator.ts";
import { lines, problemsWith, SHA, SMALL } from "./support.ts";

function operator(text: string): Operator {
  const { operator: found, problems } = readOperator("lockstep.yaml", text);
  expect(problems).toEqual([]);
  if (found === undefined) throw new Error("no operator");
  return found;
}

function problems(text: string): string[] {
  return lines(readOperator("lockstep.yaml", text).problems).map((line) => line.replace("lockstep.yaml:", ""));
}

const BINDINGS = `environments:
  "sbx-*": { account: 000000000001, region: eu-west-1 }
  "*": { account: "000000000002" }
  prod: { role: "arn:aws:iam::000000000003:role/lockstep-{env}", planRole: "arn:aws:iam::{account}:role/plan", externalId: ext }
  shop/prod: { account: 000000000004, role: "arn:aws:iam::{account}:role/{application}-{env}" }
  "blog/*": { account: 000000000005 }
`;

describe("what an environment may reach", () => {
  it.each([
    ["sbx-anna", "shop", { account: "000000000001", region: "eu-west-1" }],
    ["dev", "shop", { account: "000000000002" }],
    ["dev", "blog", { account: "000000000002" }],
    [
      "prod",
      "blog",
      {
        account: "000000000003",
        role: "arn:aws:iam::000000000003:role/lockstep-prod",
        planRole: "arn:aws:iam::000000000003:role/plan",
        externalId: "ext",
      },
    ],
    ["prod", "shop", { account: "000000000004", role: "arn:aws:iam::000000000004:role/shop-prod" }],
  ])("%s of %s is bound by the most exact key, among globs by the first", (environment, application, expected) => {
    expect(operator(BINDINGS).place(environment, application)).toEqual(expected);
  });

  it("an environment that no key fits is refused", () => {
    expect(operator("environments: { prod: {}, 'sbx-*': {} }\n").place("dev", "shop")).toEqual({
      refused: "shop/dev is bound to no account: the operator's lockstep.yaml names prod, sbx-*",
    });
  });

  it("without bindings, and without a file, nothing is bound and nothing refused", () => {
    expect(operator("").place("dev", "shop")).toEqual({});
    expect(NO_OPERATOR.place("dev", "shop")).toEqual({});
  });

  it("floors and limits reach the environments they name", async () => {
    const { place } = operator("policy: { promotedFrom: [prod, 'eu-*'] }\nlimits: { parallel: 2 }\n");
    expect(place("prod", "shop")).toEqual({ mustBePromoted: true, parallelAtMost: 2 });
    expect(place("eu-west", "shop")).toMatchObject({ mustBePromoted: true });
    expect(place("dev", "shop")).toEqual({ parallelAtMost: 2 });
    const said = await problemsWith(SMALL, `sha: ${SHA}\n`, { binding: { region: "eu-west-1", mustBePromoted: true } });
    expect(said).toEqual([
      "prod.yaml:1:1 gates.promotedFrom: the operator wants prod promoted from another environment (put it behind another one in `pipeline`)",
    ]);
  });

  it("a glob fits what a regular expression of it fits", () => {
    const letters = fc
      .string({ unit: fc.constantFrom("a", "b", "-", "*"), minLength: 1, maxLength: 8 })
      .map((text) => text.replace(/^-/, "a"));
    const name = fc.string({ unit: fc.constantFrom("a", "b", "-"), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(letters, name, (glob, environment) => {
        const { place } = operator(`environments: { "${glob}": {} }\n`);
        const expected = new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(environment);
        expect("refused" in place(environment, "shop")).toBe(!expected);
      }),
    );
  });
});

describe("repositories", () => {
  it("follow main unless they say otherwise", () => {
    expect(operator("repositories: [{ url: a }, { url: b, branch: live }]\n").repositories).toEqual([
      { url: "a", branch: "main" },
      { url: "b", branch: "live" },
    ]);
    expect(operator("").repositories).toBeUndefined();
  });
});

describe("a mistake in the operator's file", () => {
  it.each<[string, string, string[]]>([
    ["an unknown key", "environment: {}\n", ['1:1 unknown key "environment"; did you mean "environments"?']],
    [
      "an account in digits too few",
      "environments: { prod: { account: 123 } }\n",
      ['1:34 environments.prod.account: "123" is not an AWS account of twelve digits'],
    ],
    [
      "a role that is none",
      "environments: { prod: { role: admin } }\n",
      ['1:31 environments.prod.role: "admin" is not the ARN of an IAM role'],
    ],
    [
      "a role of another account",
      "environments:\n  prod: { account: 000000000001, role: 'arn:aws:iam::000000000002:role/x' }\n",
      ["2:40 environments.prod.role is of account 000000000002, and the binding of 000000000001"],
    ],
    [
      "a template a role cannot have",
      "environments:\n  prod: { planRole: 'arn:aws:iam::000000000002:role/{sha}' }\n",
      ["2:21 environments.prod.planRole: {sha} has no meaning here (templates: {application} {env} {account})"],
    ],
    [
      "a role of an account nobody named",
      "environments:\n  prod: { role: 'arn:aws:iam::{account}:role/x' }\n",
      ["2:17 environments.prod.role: {account} has no meaning here (templates: {application} {env} {account})"],
    ],
    ["no bindings", "environments: {}\n", ["1:1 environments is empty"]],
    [
      "a pattern that is none",
      "environments: { 'Prod!': {} }\n",
      [
        '1:17 "Prod!" is not a valid name in environments (an environment name, application/environment, or a glob of either such as sbx-*)',
      ],
    ],
    [
      "a floor that comes later",
      "policy: { approvals: { prod: 1 } }\nlimits: { lanes: 3 }\n",
      [
        "1:11 policy.approvals is not supported yet (remove it: this version of Lockstep would not act on it)",
        "2:11 limits.lanes is not supported yet (remove it: this version of Lockstep would not act on it)",
      ],
    ],
    [
      "an anchor",
      "environments: &x { prod: {} }\n",
      ["1:18 anchor &x: anchors are not allowed (write the value out where it is used)"],
    ],
  ])("%s is named at its line", (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
