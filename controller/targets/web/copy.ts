// Copies files of a release into the web bucket, many at once, each under the condition that nobody else wrote meanwhile.
import pMap from "p-map";
import type { Inventory, ReleaseFile } from "../../core/assets.ts";
import { isFixed } from "../../core/assets.ts";
import { Fault } from "../../core/fault.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Buckets, DELETES, type Expected, type Writer } from "./bucket.ts";
import { bucketOf, type Spot } from "./marker.ts";
import { patiently } from "./patience.ts";
import type { Release, Source } from "./release.ts";

/** ETags of what was written, by key. */
export type Etags = ReadonlyMap<string, string>;

/** How often a destination that changed under a copy is looked at again. */
const LOOKS = 4;

/**
 * Copies one wave and waits until all of it is there. The first failure stops the rest; what is in flight settles first.
 * Faults: artifact-rebuilt, release-incomplete, publish-conflict, fenced and what the world brings.
 */
export async function copyWave(
  buckets: Buckets,
  at: Spot,
  release: Release,
  wave: readonly ReleaseFile[],
  inventory: Inventory,
): Promise<Etags> {
  const written = new Map<string, string>();
  const sources = new Map(release.files.map((file) => [file.key, file]));
  await settle(wave, async ({ key }) => {
    const source = sources.get(key);
    if (source === undefined) throw new Fault("release-incomplete", `${key} is not in the release`);
    written.set(key, await copyFile(buckets, at, release, source, inventory));
  });
  return written;
}

/** Deletes keys, as many in one call as S3 takes. */
export async function deleteKeys(buckets: Buckets, at: Spot, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += DELETES) {
    const batch = keys.slice(from, from + DELETES).map((key) => at.web.prefix + key);
    await patiently(at.context, at.signal, () => buckets.remove(bucketOf(at.web, at.place), batch, writer(at)));
  }
}

function writer({ signal, context }: Spot): Writer {
  return { signal, guard: () => context.guard() };
}

async function copyFile(
  buckets: Buckets,
  at: Spot,
  release: Release,
  file: Source,
  inventory: Inventory,
): Promise<string> {
  const to = { ...bucketOf(at.web, at.place), key: at.web.prefix + file.key };
  const from = { bucket: release.bucket, key: release.prefix + file.key, etag: file.etag };
  let expected = expectation(file, inventory);
  for (let look = 1; ; look += 1) {
    if (expected === "unknown") {
      const etag = await patiently(at.context, at.signal, () => buckets.head(to, to.key, at.signal));
      expected = etag === undefined ? "absent" : { etag };
    }
    const condition = expected;
    const job = { from, to, file, expected: condition };
    const answer = await patiently(at.context, at.signal, () => buckets.copy(job, writer(at)));
    if (answer.state === "copied") {
      assertBytes(file, release, answer.sha256);
      return answer.etag;
    }
    const now = condition === "any" ? undefined : await buckets.head(to, to.key, at.signal);
    if (holds(condition, now)) throw sourceFault(answer.state, release, file);
    // Somebody wrote there by hand, or our own lost answer did. We hold the environment, so the release goes over it.
    if (look === LOOKS) {
      throw new Fault("publish-conflict", `s3://${to.name}/${to.key} keeps changing while the release writes it`);
    }
    expected = "unknown";
  }
}

/**
 * What must be at the destination, so that a frozen process that wakes up late cannot overwrite what its successor
 * wrote. Fixed assets have one content whoever writes them.
 */
function expectation(file: ReleaseFile, inventory: Inventory): Expected | "unknown" {
  if (isFixed(file)) return "any";
  const held = inventory.get(file.key);
  if (held === undefined) return "absent";
  return held.etag === undefined ? "unknown" : { etag: held.etag };
}

/** The destination is as expected, so it was the source that refused. */
function holds(expected: Expected, now: string | undefined): boolean {
  if (expected === "any") return true;
  return expected === "absent" ? now === undefined : now === expected.etag;
}

function sourceFault(state: "refused" | "missing", release: Release, file: Source): Fault {
  const source = `s3://${release.bucket}/${release.prefix}${file.key}`;
  if (state === "missing") return new Fault("release-incomplete", `release is incomplete: ${source} is gone`);
  return new Fault("artifact-rebuilt", `${source} changed since the release was resolved`);
}

/** S3 computed the sha256 of what it copied; a release whose files are not what its list says is not the one planned. */
function assertBytes(file: Source, release: Release, base64: string | undefined): void {
  if (base64 === undefined || !file.checksum.startsWith("sha256:")) return;
  const sha256 = Buffer.from(base64, "base64").toString("hex");
  if (file.checksum === `sha256:${sha256}`) return;
  const message = `s3://${release.bucket}/${release.prefix}${file.key} has sha256 ${sha256.slice(0, 12)}, and lockstep.json says ${file.checksum.slice(7, 19)}`;
  throw new Fault("artifact-rebuilt", message);
}

/** Like p-map, but a failure lets what is in flight end before it is thrown. */
async function settle<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  const guarded = async (item: Item): Promise<void> => {
    if (failures.length > 0) return;
    try {
      await run(item);
    } catch (error) {
      failures.push(error);
    }
  };
  await pMap(items, guarded, { concurrency: LIMITS.copies });
  if (failures.length > 0) throw failures[0];
}
