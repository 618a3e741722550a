// Image scans: started by a call or by a push, or set to what a test needs.

import { AwsError, type Caller } from "../api.ts";
import { type Input, page, record, records, text, wholeNumber } from "../members.ts";
import { seconds } from "../wire.ts";
import {
  type Image,
  imageIdOf,
  type ImageId,
  imageOf,
  type Registry,
  type Repository,
  repositoryOf,
  shown,
  within,
} from "./registry.ts";

export interface Scan {
  /** A ScanStatus of the API, such as COMPLETE, FAILED or ACTIVE (enhanced scanning). */
  readonly status: string;
  readonly description: string;
  readonly completedAtMs: number | undefined;
  /** As the API writes them; each carries its severity. */
  readonly findings: readonly Input[];
  readonly enhancedFindings: readonly Input[] | undefined;
}

/** How long basic scanning takes here; AWS publishes no time. */
const SCAN_MS = 10_000;

export function startScan(registry: Registry, image: Image): void {
  image.scan = {
    status: "IN_PROGRESS",
    description: "The scan is in progress.",
    completedAtMs: undefined,
    findings: [],
    enhancedFindings: undefined,
  };
  const running = image.scan;
  registry.clock.after(SCAN_MS, () => {
    if (image.scan === running) image.scan = completed(registry.clock.now(), []);
  });
}

function completed(completedAtMs: number, findings: readonly Input[]): Scan {
  const description = "The scan was completed successfully.";
  return { status: "COMPLETE", description, completedAtMs, findings, enhancedFindings: undefined };
}

export function startImageScan(registry: Registry, input: Input, caller: Caller): unknown {
  const { repository, image, imageId } = scanned(registry, input, caller);
  startScan(registry, image);
  return { ...named(repository, image, imageId), imageScanStatus: { status: "IN_PROGRESS" } };
}

export function describeImageScanFindings(registry: Registry, input: Input, caller: Caller): unknown {
  const { repository, image, imageId } = scanned(registry, input, caller);
  const { scan } = image;
  if (scan === undefined) {
    const message = `Image scan does not exist for the image with '${shown({ imageDigest: image.digest, ...imageId })}' in the ${within(repository)}`;
    throw new AwsError("ScanNotFoundException", message);
  }
  const limit = wholeNumber(input, "maxResults", { least: 1, most: 1000, otherwise: 100 });
  const { items, nextToken } = page(scan.enhancedFindings ?? scan.findings, text(input, "nextToken"), limit);
  const completedAt = scan.completedAtMs === undefined ? undefined : seconds(scan.completedAtMs);
  return {
    ...named(repository, image, imageId),
    imageScanStatus: { status: scan.status, description: scan.description },
    imageScanFindings: {
      imageScanCompletedAt: completedAt,
      vulnerabilitySourceUpdatedAt: completedAt,
      findingSeverityCounts: severityCounts(scan.enhancedFindings ?? scan.findings),
      ...(scan.enhancedFindings === undefined ? { findings: items } : { enhancedFindings: items }),
    },
    nextToken,
  };
}

/** Control plane: what a scan of this image found. `status` defaults to COMPLETE, `findings` to none. */
export function setScan(registry: Registry, input: Input, caller: Caller): unknown {
  const { image } = scanned(registry, input, caller);
  const scan = record(input, "scan") ?? {};
  const status = text(scan, "status") ?? "COMPLETE";
  image.scan = {
    status,
    description: text(scan, "description") ?? `Scan status is set to '${status}'.`,
    completedAtMs: registry.clock.now(),
    findings: records(scan, "findings") ?? [],
    enhancedFindings: records(scan, "enhancedFindings"),
  };
  return {};
}

function scanned(
  registry: Registry,
  input: Input,
  caller: Caller,
): { repository: Repository; image: Image; imageId: ImageId } {
  const repository = repositoryOf(registry, input, caller);
  const imageId = imageIdOf(record(input, "imageId") ?? {});
  return { repository, image: imageOf(repository, imageId), imageId };
}

function named(repository: Repository, image: Image, imageId: ImageId): object {
  return {
    registryId: repository.registryId,
    repositoryName: repository.name,
    imageId: { imageDigest: image.digest, ...imageId },
  };
}

function severityCounts(findings: readonly Input[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const finding of findings) {
    const severity = text(finding, "severity") ?? "UNDEFINED";
    counts[severity] = (counts[severity] ?? 0) + 1;
  }
  return counts;
}
