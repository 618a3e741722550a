import { ListObjectsV2Command, PutObjectCommand, type ListObjectsV2CommandInput } from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createS3Bench, failure, type S3Bench } from "./support.ts";

// Few letters, so that prefixes and delimiters meet; astral and private-use characters, so that UTF-16 order is wrong.
const part = fc.constantFrom("a", "b", "/", "//", "+", " ", "[x]", "(y)", "&", "ü", "\uFFEE", "\u{1F680}", "~", "%2F");
const keys = fc.uniqueArray(
  fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("")),
  { maxLength: 25 },
);

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

async function fill(names: readonly string[]): Promise<S3Bench> {
  const bench = createS3Bench();
  for (const Key of names) await bench.s3.send(new PutObjectCommand({ Bucket: "web", Key, Body: Key }));
  return bench;
}

/** Every line of a listing, page by page: keys, and common prefixes with a `*` behind them. */
async function listAll({ s3 }: S3Bench, input: Partial<ListObjectsV2CommandInput>) {
  const lines: string[] = [];
  const pageSizes: number[] = [];
  let token: string | undefined;
  do {
    const request = { Bucket: "web", ...input, ContinuationToken: token };
    const page = await s3.send(new ListObjectsV2Command(request));
    const contents = (page.Contents ?? []).map(({ Key }) => Key ?? "");
    const prefixes = (page.CommonPrefixes ?? []).map(({ Prefix }) => `${Prefix}*`);
    expect(page.KeyCount).toBe(contents.length + prefixes.length);
    lines.push(...contents, ...prefixes);
    pageSizes.push(contents.length + prefixes.length);
    token = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(token !== undefined);
  } while (token !== undefined);
  return { lines, pageSizes };
}

function expectedLines(names: readonly string[], prefix: string, delimiter: string): readonly string[] {
  const matching = names.filter((name) => name.startsWith(prefix));
  const lines = matching.map((name) => {
    const cut = delimiter === "" ? -1 : name.indexOf(delimiter, prefix.length);
    return cut < 0 ? name : `${name.slice(0, cut + delimiter.length)}*`;
  });
  return [...new Set(lines)];
}

describe("ListObjectsV2", () => {
  it("gives every key once, in the order of its UTF-8 bytes, whatever the page size", async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 7 }), async (names, MaxKeys) => {
        const { lines, pageSizes } = await listAll(await fill(names), { MaxKeys });
        expect(lines).toEqual([...names].sort(bytewise));
        expect(pageSizes.slice(0, -1).every((size) => size === MaxKeys)).toBe(true);
        expect(pageSizes.at(-1) ?? 0).toBeLessThanOrEqual(MaxKeys);
      }),
      { numRuns: 60 },
    );
  });

  it("rolls keys up into each common prefix once, also across pages", async () => {
    const prefix = fc.constantFrom("", "a", "a/", "b");
    const delimiter = fc.constantFrom("/", "a", "[x]");
    await fc.assert(
      fc.asyncProperty(keys, prefix, delimiter, fc.integer({ min: 1, max: 4 }), async (names, p, d, MaxKeys) => {
        const { lines } = await listAll(await fill(names), { Prefix: p, Delimiter: d, MaxKeys });
        expect([...lines].sort()).toEqual([...expectedLines(names, p, d)].sort());
      }),
      { numRuns: 60 },
    );
  });

  it("starts behind StartAfter, whether that key exists or not", async () => {
    await fc.assert(
      fc.asyncProperty(keys, part, async (names, StartAfter) => {
        const { lines } = await listAll(await fill(names), { StartAfter, MaxKeys: 3 });
        const later = names.filter((name) => bytewise(name, StartAfter) > 0);
        expect(lines).toEqual(later.sort(bytewise));
      }),
      { numRuns: 40 },
    );
  });

  it("never gives more than 1,000 keys, even when asked", async () => {
    const bench = await fill(Array.from({ length: 1001 }, (_, index) => `k${index}`));
    const page = await bench.s3.send(new ListObjectsV2Command({ Bucket: "web", MaxKeys: 5000 }));
    expect(page).toMatchObject({ KeyCount: 1000, MaxKeys: 1000, IsTruncated: true });
    expect((await listAll(bench, {})).pageSizes).toEqual([1000, 1]);
  });

  it("gives nothing and no token for MaxKeys 0", async () => {
    const { s3 } = await fill(["a"]);
    const page = await s3.send(new ListObjectsV2Command({ Bucket: "web", MaxKeys: 0 }));
    expect(page).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it("encodes names on demand", async () => {
    const { s3 } = await fill(["dir/a b+ü.js"]);
    const page = await s3.send(new ListObjectsV2Command({ Bucket: "web", EncodingType: "url", Prefix: "dir/" }));
    expect(page.Contents?.[0]?.Key).toBe("dir/a+b%2B%C3%BC.js");
  });

  it("keeps keys with control characters and outer spaces as they are", async () => {
    const names = ["\u0001x", " lead", "trail ", "line\r\nbreak", "tab\t"];
    const { lines } = await listAll(await fill(names), {});
    expect(lines).toEqual([...names].sort(bytewise));
  });

  it("refuses a token that is not its own", async () => {
    const { s3 } = createS3Bench();
    const list = s3.send(new ListObjectsV2Command({ Bucket: "web", ContinuationToken: "made-up" }));
    expect(await failure(list)).toBe("400 InvalidArgument");
  });

  it("describes each object", async () => {
    const { s3 } = await fill(["a"]);
    const page = await s3.send(new ListObjectsV2Command({ Bucket: "web", FetchOwner: true }));
    expect(page.Contents?.[0]).toMatchObject({
      Key: "a",
      Size: 1,
      ETag: '"0cc175b9c0f1b6a831c399e269772661"',
      StorageClass: "STANDARD",
      ChecksumAlgorithm: ["CRC32"],
      Owner: { ID: "111111111111" },
    });
  });
});
