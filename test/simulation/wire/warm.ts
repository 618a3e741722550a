// Imports the SDK and lets it read its configuration once: both are real input and output, from which virtual time would run away.
import { createSteppedClock } from "../../../sandbox/clock.ts";
import { createChance } from "../../../sandbox/chance.ts";
import { createScriptRunner } from "../../../sandbox/ecs/runner-script.ts";
import { createSandbox } from "../../../sandbox/sandbox.ts";
import { Instant } from "../../../controller/core/brand.ts";
import { createBuckets } from "../../../controller/targets/web/bucket.ts";
import { REGION } from "./account.ts";
import { openAws } from "./controller.ts";

let warmed: Promise<void> | undefined;

export function warm(): Promise<void> {
  warmed ??= prepare();
  return warmed;
}

async function prepare(): Promise<void> {
  const stepped = createSteppedClock();
  const sandbox = createSandbox({ clock: stepped, chance: createChance(1), runner: createScriptRunner(stepped) });
  const clock = {
    now: () => Instant.of(stepped.now()),
    monotonicMs: () => stepped.now(),
    // Nothing here takes so long that a limit would matter.
    sleep: (_ms: number, signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
  };
  const aws = openAws(sandbox.handle, { clock, random: (bytes) => "0".repeat(bytes * 2), writer: "warm" });
  const place = { region: REGION };
  const signal = new AbortController().signal;
  const common = { place, resource: "warm-up", signal };
  await aws.read({ ...common, service: "ecs", operation: "ListClusters" }, (ecs, http) => ecs.listClusters({}, http));
  await aws.read({ ...common, service: "ecr", operation: "DescribeRepositories" }, (ecr, http) =>
    ecr.describeRepositories({}, http),
  );
  await aws.read({ ...common, service: "logs", operation: "DescribeLogGroups" }, (logs, http) =>
    logs.describeLogGroups({}, http),
  );
  await aws.read({ ...common, service: "autoscaling", operation: "DescribeScalableTargets" }, (client, http) =>
    client.describeScalableTargets({ ServiceNamespace: "ecs" }, http),
  );
  await aws.read({ ...common, service: "cloudfront", operation: "ListDistributions" }, (client, http) =>
    client.listDistributions({}, http),
  );
  const by = { guard: () => undefined, signal };
  await aws.write({ ...common, service: "s3", operation: "CreateBucket", guard: by.guard }, (s3, http) =>
    s3.createBucket({ Bucket: "warm" }, http),
  );
  const bucket = { place, name: "warm" };
  const buckets = createBuckets(aws);
  await buckets.put(bucket, "key", "{}", undefined, by);
  await buckets.get(bucket, "key", { limitBytes: 100 }, signal);
  await buckets.remove(bucket, ["key"], by);
  await sandbox.close();
}
