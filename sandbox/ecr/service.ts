// ECR of the sandbox: repositories and images in memory, behind the JSON 1.1 protocol. What it imitates: ../ecr.md.

import type { Caller, ResolveImage, SandboxClock, Service } from "../api.ts";
import type { Routes } from "../control.ts";
import { type Input, notImitated, text } from "../members.ts";
import { json, jsonError, readJson, targetOperation } from "../wire.ts";
import { batchGetImage, describeImages, listImages } from "./images.ts";
import { batchDeleteImage, putImage, updateImageStorageClass } from "./pushes.ts";
import { createRegistry, lookUp, type Registry } from "./registry.ts";
import { createRepository, deleteRepository, describeRepositories, putImageTagMutability } from "./repositories.ts";
import { describeImageScanFindings, setScan, startImageScan } from "./scans.ts";

const TARGET = "AmazonEC2ContainerRegistry_V20150921";

const OPERATIONS: Readonly<Record<string, (registry: Registry, input: Input, caller: Caller) => unknown>> = {
  BatchDeleteImage: batchDeleteImage,
  BatchGetImage: batchGetImage,
  CreateRepository: createRepository,
  DeleteRepository: deleteRepository,
  DescribeImageScanFindings: describeImageScanFindings,
  DescribeImages: describeImages,
  DescribeRepositories: describeRepositories,
  ListImages: listImages,
  PutImage: putImage,
  PutImageTagMutability: putImageTagMutability,
  StartImageScan: startImageScan,
  UpdateImageStorageClass: updateImageStorageClass,
};

export interface Ecr extends Service {
  readonly resolveImage: ResolveImage;
  readonly routes: Routes;
}

export interface EcrDependencies {
  readonly clock: SandboxClock;
  /** Whose registry an image without a registry's host name comes from. */
  readonly account: string;
  readonly region: string;
}

export function createEcr({ clock, account, region }: EcrDependencies): Ecr {
  const registry = createRegistry(clock);
  return {
    name: "ecr",
    operation: (request) => targetOperation(request, TARGET),
    handle(operation, request, caller) {
      const perform = OPERATIONS[operation];
      if (perform === undefined) throw notImitated("ecr", operation);
      return json(perform(registry, readJson(request), caller));
    },
    fail: jsonError,
    resolveImage: (image) => resolve(registry, image, { account, region }),
    routes: {
      "PUT /_sandbox/scans": (_, body) =>
        setScan(registry, body, {
          account: text(body, "account") ?? account,
          region: text(body, "region") ?? region,
          arn: "",
          userAgent: "",
        }),
    },
  };
}

const HOST = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\//;

/**
 * What a task pulls for `[host/]repository[:tag][@digest]`. A tag that points at an index runs its first member that says
 * what to run. Archived images cannot be pulled.
 */
function resolve(
  registry: Registry,
  reference: string,
  home: { account: string; region: string },
): ReturnType<ResolveImage> {
  const [host = "", account = home.account, region = home.region] = HOST.exec(reference) ?? [];
  const [, name = "", tag, digest] = /^([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(reference.slice(host.length)) ?? [];
  const repository = registry.find(account, region, name);
  if (repository === undefined) return undefined;
  const id = digest === undefined ? { imageTag: tag ?? "latest" } : { imageDigest: digest };
  const image = lookUp(repository, id);
  if (image === undefined || image.status !== "ACTIVE") return undefined;
  const members = image.manifest.members.map((member) => repository.images.get(member)?.manifest.annotations ?? {});
  const annotations = members.find((member) => member["sandbox.folder"] !== undefined) ?? image.manifest.annotations;
  return { digest: image.digest, annotations };
}
