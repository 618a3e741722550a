// The sandbox's log of calls, as the tests ask it: who wrote what, and how often.
import type { Call } from "../../../sandbox/calls.ts";

export type { Call };

/** Operations that only read: all that looking, planning and refusing may ever call. */
const READS: ReadonlySet<string> = new Set([
  "sts:AssumeRole",
  "sts:GetCallerIdentity",
  "ecs:DescribeServices",
  "ecs:DescribeTaskDefinition",
  "ecs:DescribeTasks",
  "ecs:DescribeServiceRevisions",
  "ecs:DescribeServiceDeployments",
  "ecs:ListServiceDeployments",
  "ecs:ListTasks",
  "ecs:ListTaskDefinitions",
  "ecs:ListTagsForResource",
  "ecr:BatchGetImage",
  "ecr:DescribeImages",
  "ecr:ListImages",
  "logs:GetLogEvents",
  "logs:FilterLogEvents",
  "s3:GetObject",
  "s3:HeadObject",
  "s3:HeadBucket",
  "s3:ListObjectsV2",
  "cloudfront:GetDistribution",
  "cloudfront:GetInvalidation",
  "cloudfront:ListDistributions",
  "cloudfront:ListInvalidations",
  "autoscaling:DescribeScalableTargets",
]);

/** `ecs:UpdateService`. */
export function nameOf({ service, operation }: Call): string {
  return `${service}:${operation}`;
}

export function isRead(call: Call): boolean {
  return READS.has(nameOf(call));
}

/** Calls of the controller or its command line, not of the test itself. */
export function isOurs({ userAgent }: Call): boolean {
  return userAgent.includes("lockstep/");
}

/** Calls whose input mentions the text: a cluster, a bucket, a family, a distribution. */
export function about(calls: readonly Call[], text: string): readonly Call[] {
  return calls.filter(({ input }) => JSON.stringify(input).includes(text));
}

/** Of an operation, those that AWS accepted. */
export function accepted(calls: readonly Call[], name: string): readonly Call[] {
  return calls.filter((call) => nameOf(call) === name && call.error === undefined);
}

/** Names of operations with how often each was called, for comparing whole histories at once. */
export function tally(calls: readonly Call[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const call of calls) counts[nameOf(call)] = (counts[nameOf(call)] ?? 0) + 1;
  return counts;
}

/** CallerReferences of the invalidations that were accepted. */
export function references(calls: readonly Call[]): readonly string[] {
  return accepted(calls, "cloudfront:CreateInvalidation").map(
    ({ input }) => /<CallerReference>([^<]*)</.exec(String(input["body"]))?.[1] ?? "none",
  );
}
