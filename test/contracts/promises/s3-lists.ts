// S3 lists and deletions: order, pages, prefixes, and DeleteObjects key by key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
import { DeleteObjectsCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { ListObjectsV2CommandInput } from "@aws-sdk/client-s3";
import { type Account, failure } from "../account.ts";
import type { Contract } from "../contract.ts";
import { bucket, KEYS, md5, put } from "./s3-objects.ts";

async function filled(account: Account, keys: readonly string[]): Promise<string> {
  const Bucket = await bucket(account);
  for (const key of keys) await put(account, Bucket, key, "x");
  return Bucket;
}

/** Keys of every page, in the order in which they came. */
async function pages(account: Account, input: ListObjectsV2CommandInput): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  let token: string | undefined;
  do {
    const next = token === undefined ? {} : { ContinuationToken: token };
    const page = await account.s3.send(new ListObjectsV2Command({ ...input, ...next }));
    found.push((page.Contents ?? []).map(({ Key = "" }) => Key));
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return found;
}

/** In UTF-16, as JavaScript compares, the third comes before the second. */
const UNICODE = ["a", "\u{fb00}", "\u{1f600}"];

export const S3_LISTS: readonly Contract[] = [
  {
    name: "keys are listed in the order of their UTF-8 bytes",
    async observe(account) {
      const Bucket = await filled(account, [...UNICODE, "Z", "a/b", "a-b"].reverse());
      return pages(account, { Bucket });
    },
    promised: [["Z", "a", "a-b", "a/b", "\u{fb00}", "\u{1f600}"]],
  },
  {
    name: "pages follow one another without a gap or a key twice",
    async observe(account) {
      const Bucket = await filled(account, ["a", "b", "c", "d", "e"]);
      return pages(account, { Bucket, MaxKeys: 2 });
    },
    promised: [["a", "b"], ["c", "d"], ["e"]],
  },
  {
    name: "strange keys are listed as they were written",
    async observe(account) {
      const Bucket = await filled(account, KEYS);
      return (await pages(account, { Bucket })).flat().toSorted();
    },
    promised: KEYS.toSorted(),
  },
  {
    name: "a prefix is text, not a folder",
    async observe(account) {
      const Bucket = await filled(account, ["app", "app/a", "apple", "b"]);
      return pages(account, { Bucket, Prefix: "app" });
    },
    promised: [["app", "app/a", "apple"]],
  },
  {
    name: "a delimiter folds keys into common prefixes",
    async observe(account) {
      const Bucket = await filled(account, ["a/1", "a/2", "b/1", "c"]);
      const page = await account.s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
      return [page.CommonPrefixes?.map(({ Prefix }) => Prefix), page.Contents?.map(({ Key }) => Key), page.KeyCount];
    },
    promised: [["a/", "b/"], ["c"], 3],
  },
  {
    name: "StartAfter begins behind a key, whether it exists or not",
    async observe(account) {
      const Bucket = await filled(account, ["a", "b", "d"]);
      return Promise.all([pages(account, { Bucket, StartAfter: "b" }), pages(account, { Bucket, StartAfter: "c" })]);
    },
    promised: [[["d"]], [["d"]]],
  },
  {
    name: "an empty bucket lists nothing, in one page",
    async observe(account) {
      return pages(account, { Bucket: await bucket(account) });
    },
    promised: [[]],
  },
  {
    name: "a page never holds more than 1,000 keys, whatever was asked",
    async observe(account) {
      const Bucket = await bucket(account);
      return (await account.s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 5000 }))).MaxKeys;
    },
    promised: 1000,
    moto: {
      says: 5000,
      evidence:
        'ListObjectsV2 "returns up to 1,000 key names" and "will never contain more" (API_ListObjectsV2, MaxKeys); moto takes MaxKeys as it was sent (moto/s3/responses.py).',
    },
  },
  {
    name: "DeleteObjects takes keys that are not there as deleted",
    async observe(account) {
      const Bucket = await filled(account, ["a"]);
      const Delete = { Objects: [{ Key: "a" }, { Key: "none" }] };
      const { Deleted = [], Errors = [] } = await account.s3.send(new DeleteObjectsCommand({ Bucket, Delete }));
      return [Deleted.map(({ Key = "" }) => Key).toSorted(), Errors, await pages(account, { Bucket })];
    },
    promised: [["a", "none"], [], [[]]],
  },
  {
    name: "DeleteObjects with Quiet tells of failures only",
    async observe(account) {
      const Bucket = await filled(account, ["a"]);
      const Delete = { Quiet: true, Objects: [{ Key: "a" }] };
      const { Deleted = [], Errors = [] } = await account.s3.send(new DeleteObjectsCommand({ Bucket, Delete }));
      return [Deleted, Errors, await pages(account, { Bucket })];
    },
    promised: [[], [], [[]]],
    moto: {
      says: [[{ Key: "a" }], [], [[]]],
      evidence:
        'In quiet mode "the response includes only keys where the delete operation encountered an error" (API_DeleteObjects, Quiet); moto does not read Quiet (moto/s3/responses.py).',
    },
  },
  {
    name: "DeleteObjects with more than 1,000 keys is refused",
    async observe(account) {
      const Bucket = await bucket(account);
      const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: `k${index}` }));
      return failure(account.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } })));
    },
    promised: "400 MalformedXML",
    moto: {
      says: "no error",
      evidence: '"The request can contain a list of up to 1,000 keys" (API_DeleteObjects); moto does not count them.',
    },
  },
  {
    name: "DeleteObjects compares the ETag of each key, answers 200, and lists what it refused",
    async observe(account) {
      const Bucket = await filled(account, ["a", "b"]);
      const Objects = [
        { Key: "a", ETag: md5("other") },
        { Key: "b", ETag: md5("x") },
      ];
      const { Errors = [] } = await account.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      const stays = await failure(account.s3.send(new HeadObjectCommand({ Bucket, Key: "a" })));
      return [Errors.map(({ Key, Code }) => `${Key} ${Code}`), stays];
    },
    promised: [["a PreconditionFailed"], "no error"],
    moto: {
      says: [[], "404 NotFound"],
      evidence:
        "ObjectIdentifier.ETag makes the deletion of its key conditional (API_ObjectIdentifier); moto does not read it and deletes.",
    },
  },
];
