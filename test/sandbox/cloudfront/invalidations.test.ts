import {
  CreateInvalidationCommand,
  GetInvalidationCommand,
  ListInvalidationsCommand,
} from "@aws-sdk/client-cloudfront";
import { GetDistributionCommand } from "@aws-sdk/client-cloudfront";
import { describe, expect, it } from "vitest";
import { failure } from "../s3/support.ts";
import { createSite, type Site } from "./support.ts";

function send(site: Site, CallerReference: string, Items: readonly string[], Quantity = Items.length) {
  const InvalidationBatch = { CallerReference, Paths: { Quantity, Items: [...Items] } };
  return site.cloudfront.send(new CreateInvalidationCommand({ DistributionId: site.id, InvalidationBatch }));
}

const paths = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `/p${index}`);

describe("CreateInvalidation", () => {
  it.each([
    ["a path without a leading slash", "index.html"],
    ["a wildcard that is not at the end", "/a*/b"],
    ["two wildcards", "/a**"],
    ["a space", "/a b"],
    ["a character that is not ASCII", "/größe"],
    ["a tilde", "/runtime~main.js"],
    ["an unencoded bracket", "/[slug].js"],
    ["a broken escape", "/50%"],
    ["a path over 4,000 characters", `/${"x".repeat(4000)}`],
  ])("refuses %s", async (_, path) => {
    expect(await failure(send(await createSite(), "ref", [path]))).toBe("400 InvalidArgument");
  });

  it("refuses an empty batch, a wrong quantity, too many paths and an unknown distribution", async () => {
    const site = await createSite();
    expect(await failure(send(site, "ref", []))).toBe("400 InvalidArgument");
    expect(await failure(send(site, "ref", ["/a"], 2))).toBe("400 InconsistentQuantities");
    expect(await failure(send(site, "ref", paths(3001)))).toBe("413 BatchTooLarge");
    expect(await failure(send({ ...site, id: "E0" }, "ref", ["/a"]))).toBe("404 NoSuchDistribution");
  });

  it("returns the existing invalidation for the same reference and paths, also when completed", async () => {
    const site = await createSite();
    const first = await send(site, "ref", ["/a", "/b"]);
    expect(first.Invalidation?.Status).toBe("InProgress");
    const second = await send(site, "ref", ["/b", "/a"]);
    expect(second.Invalidation?.Id).toBe(first.Invalidation?.Id);
    site.pass(10);
    const third = await send(site, "ref", ["/a", "/b"]);
    expect(third.Invalidation).toMatchObject({ Id: first.Invalidation?.Id, Status: "Completed" });
  });

  it("refuses the same reference with other paths", async () => {
    const site = await createSite();
    await send(site, "ref", ["/a"]);
    expect(await failure(send(site, "ref", ["/b"]))).toBe("400 InvalidationBatchAlreadyExists");
  });

  it("allows 3,000 paths and 15 wildcards at once, counted apart, until they complete", async () => {
    const site = await createSite();
    await send(site, "paths", paths(3000));
    expect(await failure(send(site, "one more", ["/one"]))).toBe("400 TooManyInvalidationsInProgress");
    await send(
      site,
      "wildcards",
      paths(15).map((path) => `${path}/*`),
    );
    expect(await failure(send(site, "another", ["/*"]))).toBe("400 TooManyInvalidationsInProgress");
    site.pass(10);
    expect(await failure(send(site, "another", ["/*", "/one"]))).toBe("no error");
  });
});

describe("reading invalidations", () => {
  it("goes from InProgress to Completed, in exactly these words", async () => {
    const site = await createSite({}, { invalidationDelayMs: 5000 });
    const Id = await site.invalidate("/index.html", "/");
    const read = async () => {
      const { Invalidation } = await site.cloudfront.send(new GetInvalidationCommand({ DistributionId: site.id, Id }));
      return Invalidation;
    };
    expect(await read()).toMatchObject({
      Status: "InProgress",
      InvalidationBatch: { CallerReference: "ref-1", Paths: { Quantity: 2, Items: ["/index.html", "/"] } },
    });
    const { Distribution } = await site.cloudfront.send(new GetDistributionCommand({ Id: site.id }));
    expect(Distribution?.InProgressInvalidationBatches).toBe(1);
    site.pass(4.999);
    expect((await read())?.Status).toBe("InProgress");
    site.pass(0.001);
    expect((await read())?.Status).toBe("Completed");
  });

  it("answers an unknown invalidation with NoSuchInvalidation", async () => {
    const site = await createSite();
    const get = new GetInvalidationCommand({ DistributionId: site.id, Id: "I0" });
    expect(await failure(site.cloudfront.send(get))).toBe("404 NoSuchInvalidation");
  });

  it("lists the newest first, page by page", async () => {
    const site = await createSite();
    const created = [await site.invalidate("/1"), await site.invalidate("/2"), await site.invalidate("/3")];
    const page = async (Marker?: string) => {
      const command = new ListInvalidationsCommand({ DistributionId: site.id, Marker, MaxItems: 2 });
      return (await site.cloudfront.send(command)).InvalidationList;
    };
    const first = await page();
    const second = await page(first?.NextMarker);
    const ids = [...(first?.Items ?? []), ...(second?.Items ?? [])].map(({ Id }) => Id);
    expect(ids).toEqual(created.toReversed());
    expect([first?.IsTruncated, second?.IsTruncated]).toEqual([true, false]);
  });
});
