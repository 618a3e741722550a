// Makes images for the sandbox registry: OCI manifests whose annotations say which program runs.

import { fileURLToPath } from "node:url";

/** The folder of the programs that come with the sandbox: server.mjs, worker.mjs and migrate.mjs. */
export const PROGRAMS = fileURLToPath(new URL("./images", import.meta.url));

export interface ImageOptions {
  /** Absolute path of the folder the program runs in. Default: {@link PROGRAMS}. */
  readonly folder?: string;
  /**
   * What runs, with the task's command behind it, as Docker does it. Default none: the task definition's command is the
   * whole of what runs, such as `["node", "server.mjs"]`, so that a migration's command can take its place.
   */
  readonly entrypoint?: readonly string[];
  /** What was built into the image; a task's own environment goes above it. */
  readonly environment?: Readonly<Record<string, string>>;
}

const EMPTY_BLOB = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/** The manifest to put into ECR. Other content, such as another SHA in the environment, gives another digest. */
export function imageManifest({ folder = PROGRAMS, entrypoint = [], environment = {} }: ImageOptions = {}): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: EMPTY_BLOB, size: 2 },
    layers: [],
    annotations: {
      "sandbox.folder": folder,
      "sandbox.entrypoint": JSON.stringify(entrypoint),
      "sandbox.env": JSON.stringify(environment),
    },
  });
}
