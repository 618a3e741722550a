// Tag templates against ECR in the sandbox: the refusals first, then the tags that exist in the wild.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Digest } from "../../../controller/core/brand.ts";
import type { Environment } from "../../../controller/core/environment.ts";
import type { Artifact } from "../../../controller/core/live.ts";
import { createImages, matches } from "../../../controller/targets/artifacts.ts";
import { API, digestOf, environment, NEW, openWorld, REGISTRY, service, type World } from "./world.ts";

const NOBODY: ReadonlyMap<string, Digest> = new Map();

async function resolve(
  world: World,
  tag: string,
  pins: ReadonlyMap<string, Digest> = NOBODY,
  image: Partial<{ registry: string; repository: string }> = {},
): Promise<Artifact | undefined> {
  const reference = { registry: REGISTRY, repository: "shop/api", tag, ...image };
  const of = environment({ services: [service(API, NEW, { image: reference })], migrations: [] });
  return (await all(world, of, pins)).get("service/api");
}

function all(world: World, of: Environment, pins = NOBODY): Promise<ReadonlyMap<string, Artifact>> {
  return world.run(createImages(world.aws).resolve(of, pins, new AbortController().signal));
}

describe("an image that cannot be deployed", () => {
  it("is missing when no tag fits, exactly or by its star", async () => {
    const world = await openWorld();
    for (const tag of ["nothing", "sha-nothing-*"])
      expect(await resolve(world, tag)).toMatchObject({
        state: "unresolved",
        why: { code: "artifact-missing", message: expect.stringContaining(`service api: ${REGISTRY}/shop/api:${tag}`) },
      });
  });

  it("is missing with its repository, or outside of ECR", async () => {
    const world = await openWorld();
    expect(await resolve(world, NEW, NOBODY, { repository: "shop/none" })).toMatchObject({
      why: { code: "artifact-missing", message: expect.stringContaining("no repository") },
    });
    expect(await resolve(world, NEW, NOBODY, { registry: "ghcr.io" })).toMatchObject({
      why: { code: "artifact-missing", message: expect.stringContaining("only images in Amazon ECR") },
    });
  });

  it("is ambiguous when two digests were pushed at the same time", async () => {
    const world = await openWorld();
    await world.push("shop/api", "sha-b-1", "one");
    await world.push("shop/api", "sha-b-2", "two");
    expect(await resolve(world, "sha-b-*")).toMatchObject({
      why: { code: "artifact-ambiguous", message: expect.stringMatching(/sha-b-[12].*and sha-b-[12]/) },
    });
  });

  it("is rebuilt when the digest of an earlier environment no longer answers to the tag", async () => {
    const world = await openWorld();
    const pins = new Map([[`service/api@${NEW}`, Digest.parse(`sha256:${"9".repeat(64)}`)]]);
    expect(await resolve(world, NEW, pins)).toMatchObject({
      why: {
        code: "artifact-rebuilt",
        message: expect.stringMatching(/rebuilt since it was healthy in an earlier environment as sha256:9/),
      },
    });
  });

  it("is archived when ECR says so", async () => {
    const world = await openWorld();
    const imageId = { imageDigest: digestOf(API, NEW) };
    await world.operations.json("ecr", "UpdateImageStorageClass", {
      repositoryName: "shop/api",
      imageId,
      targetStorageClass: "ARCHIVE",
    });
    expect(await resolve(world, NEW)).toMatchObject({ why: { code: "artifact-archived" } });
  });

  it.each([
    ["denied", "denied"],
    ["throttle", "throttled"],
    ["5xx", "unavailable"],
  ] as const)("is unresolved with the fault after %s", async (kind, code) => {
    const world = await openWorld();
    world.fail({ operation: "DescribeImages", kind, count: "forever" });
    expect(await resolve(world, NEW)).toMatchObject({ state: "unresolved", why: { code } });
  });
});

describe("an image that can be deployed", () => {
  it.each([
    ["<sha>", NEW, NEW],
    ["sha-<sha>", `sha-${NEW}`, `sha-${NEW}`],
    ["sha-<sha7>-<date>", "sha-bbbbbbb-20251127", "sha-bbbbbbb-*"],
    ["sha-<sha7>-<date>-<time>", "sha-bbbbbbb-20250122-143000", "sha-bbbbbbb-*"],
    ["sha-<sha7>-<datetime>", "sha-bbbbbbb-20250122143000", "sha-bbbbbbb-*"],
  ])("resolves %s", async (_, tag, template) => {
    const world = await openWorld();
    const digest = tag === NEW ? digestOf(API, NEW) : await world.push("shop/api", tag, "wild");
    expect(await resolve(world, template)).toEqual({ state: "resolved", digest, from: `${REGISTRY}/shop/api:${tag}` });
  });

  it("is one when several tags have one digest", async () => {
    const world = await openWorld();
    const digest = await world.push("shop/api", "sha-b-1", "same");
    await world.push("shop/api", "sha-b-2", "same");
    expect(await resolve(world, "sha-b-*")).toEqual({
      state: "resolved",
      digest,
      from: `${REGISTRY}/shop/api:sha-b-1`,
    });
  });

  it("is the newest in the first environment, and the proven one in every later", async () => {
    const world = await openWorld();
    const first = await world.push("shop/api", "sha-b-1", "one");
    await world.pass(1_000);
    const second = await world.push("shop/api", "sha-b-2", "two");
    expect(await resolve(world, "sha-b-*")).toMatchObject({
      digest: second,
      note: expect.stringContaining("newest of 2"),
    });
    const pins = new Map([[`service/api@${NEW}`, first]]);
    expect(await resolve(world, "sha-b-*", pins)).toMatchObject({
      digest: first,
      note: expect.stringContaining("proven of 2"),
    });
  });

  it("is found behind many pages of tags", async () => {
    const world = await openWorld();
    const digest = await world.push("shop/api", "zz-needle-1", "needle");
    for (let index = 0; index < 1_200; index += 1) await world.push("shop/api", `hay-${index}`, `hay ${index % 3}`);
    expect(await resolve(world, "zz-needle-*")).toMatchObject({ digest });
    expect(world.calls()).toEqual(["ListImages", "ListImages", "DescribeImages"]);
  });

  it("is asked about once for a service and its migration", async () => {
    const world = await openWorld();
    const found = await all(world, environment({ services: [service(API, NEW)] }));
    expect([...found.keys()]).toEqual(["service/api", "migration/migrate"]);
    expect(found.get("migration/migrate")).toMatchObject({ digest: digestOf(API, NEW) });
    expect(world.calls()).toEqual(["DescribeImages"]);
  });
});

it("matches a template as a regular expression of its parts would", () => {
  const text = fc.stringMatching(/^[ab-]{0,6}$/);
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), fc.stringMatching(/^[ab-]{0,14}$/), (parts, tag) => {
      expect(matches(parts.join("*"), tag)).toBe(new RegExp(`^${parts.join(".*")}$`).test(tag));
    }),
  );
});
