// Invalidations of one distribution: idempotent by caller reference, limited while in progress, effective when completed.
import { AwsError, type SandboxClock } from "../api.ts";
import { childrenOf, elementOf, textOf, type XmlElement } from "../s3/xml.ts";
import { checkQuantities, invalid } from "./config.ts";
import { checkInvalidationPath, isWildcard } from "./paths.ts";

export interface Invalidation {
  readonly id: string;
  readonly callerReference: string;
  readonly paths: readonly string[];
  readonly createdAt: number;
  readonly status: "InProgress" | "Completed";
}

export interface Invalidations {
  create(batch: XmlElement): Invalidation;
  get(id: string): Invalidation;
  /** Newest first. */
  list(): readonly Invalidation[];
  inProgress(): number;
}

export interface InvalidationsDependencies {
  readonly clock: SandboxClock;
  readonly delayMs: number;
  nextId(): string;
  /** Runs when an invalidation completes. */
  complete(paths: readonly string[]): void;
}

// In progress at once per distribution, counted apart.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
const pathLimit = 3000;
const wildcardLimit = 15;

export function createInvalidations(dependencies: InvalidationsDependencies): Invalidations {
  const { clock, delayMs } = dependencies;
  const all = new Map<string, Invalidation>();

  function inProgress(): readonly Invalidation[] {
    return [...all.values()].filter((invalidation) => invalidation.status === "InProgress");
  }

  function assertRoom(paths: readonly string[]): void {
    const together = [...inProgress().flatMap((invalidation) => invalidation.paths), ...paths];
    const wildcards = together.filter(isWildcard).length;
    if (wildcards <= wildcardLimit && together.length - wildcards <= pathLimit) return;
    const message = "You have exceeded the maximum number of allowable InProgress invalidation paths.";
    throw new AwsError("TooManyInvalidationsInProgress", message, 400);
  }

  return {
    create(batch) {
      const { callerReference, paths } = readBatch(batch);
      const same = [...all.values()].find((invalidation) => invalidation.callerReference === callerReference);
      if (same !== undefined && samePaths(same.paths, paths)) return same;
      if (same !== undefined) {
        const message = "Invalidation batch specified already exists: the caller reference was used with other paths.";
        throw new AwsError("InvalidationBatchAlreadyExists", message, 400);
      }
      assertRoom(paths);
      const id = dependencies.nextId();
      const created: Invalidation = { id, callerReference, paths, createdAt: clock.now(), status: "InProgress" };
      all.set(id, created);
      clock.after(delayMs, () => {
        all.set(id, { ...created, status: "Completed" });
        dependencies.complete(paths);
      });
      return created;
    },
    get(id) {
      const found = all.get(id);
      if (found !== undefined) return found;
      throw new AwsError("NoSuchInvalidation", "The specified invalidation does not exist.", 404);
    },
    list: () => [...all.values()].toReversed(),
    inProgress: () => inProgress().length,
  };
}

function readBatch(batch: XmlElement): { readonly callerReference: string; readonly paths: readonly string[] } {
  checkQuantities(batch);
  const callerReference = textOf(batch, "CallerReference") ?? "";
  const items = childrenOf(elementOf(elementOf(batch, "Paths"), "Items"), "Path");
  const paths = items.filter((path) => typeof path === "string");
  if (callerReference === "") throw invalid("The parameter CallerReference is missing.");
  if (paths.length === 0) throw invalid("Your request must contain at least one invalidation path.");
  if (paths.length > pathLimit) {
    throw new AwsError("BatchTooLarge", "Invalidation batch specified is too large.", 413);
  }
  for (const path of paths) checkInvalidationPath(path);
  return { callerReference, paths };
}

function samePaths(before: readonly string[], now: readonly string[]): boolean {
  const sorted = [...now].sort();
  return before.length === now.length && [...before].sort().every((path, index) => path === sorted[index]);
}
