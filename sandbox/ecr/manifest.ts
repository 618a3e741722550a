// Reads image manifests: OCI and Docker, single images and indexes.

import { createHash } from "node:crypto";
import { AwsError } from "../api.ts";
import { isRecord } from "../wire.ts";

export interface Manifest {
  readonly mediaType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** Config and layers, in bytes; 0 for an index. */
  readonly sizeBytes: number;
  readonly artifactType: string | undefined;
  readonly subject: string | undefined;
  /** Digests an index refers to; empty for a single image. */
  readonly members: readonly string[];
}

/** The digest of a manifest: sha256 of its bytes. */
export function digestOf(manifest: string): string {
  return `sha256:${createHash("sha256").update(manifest, "utf8").digest("hex")}`;
}

/** Fault: InvalidParameterException when the text is no manifest. */
export function readManifest(manifest: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(manifest);
  } catch {
    value = undefined; // Answered below like any other text that is no manifest.
  }
  if (!isRecord(value) || (value["schemaVersion"] !== 2 && value["schemaVersion"] !== 1)) {
    const rule = "Invalid JSON syntax";
    throw new AwsError(
      "InvalidParameterException",
      `Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${rule}'`,
    );
  }
  const blobs = [value["config"], ...listOf(value["layers"])].filter(isRecord);
  const members = listOf(value["manifests"]).filter(isRecord);
  const annotations = isRecord(value["annotations"]) ? value["annotations"] : {};
  return {
    mediaType: textOf(value["mediaType"]),
    annotations: Object.fromEntries(Object.entries(annotations).map(([name, content]) => [name, String(content)])),
    sizeBytes: blobs.reduce((sum, blob) => sum + (typeof blob["size"] === "number" ? blob["size"] : 0), 0),
    artifactType:
      textOf(value["artifactType"]) ?? textOf(isRecord(value["config"]) ? value["config"]["mediaType"] : undefined),
    subject: textOf(isRecord(value["subject"]) ? value["subject"]["digest"] : undefined),
    members: members.map((member) => textOf(member["digest"])).filter((digest) => digest !== undefined),
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
