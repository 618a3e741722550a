// Bugs against S3, CloudFront and health endpoints.
import type { Mutation } from "../mutation.ts";

const CDN = "controller/targets/web/cdn.ts";
const PUBLISH = "controller/targets/web/publish.ts";

export const WEBS: readonly Mutation[] = [
  {
    name: "reference-repeats-for-a-digest",
    breaks: "a CallerReference is new for each publication",
    file: CDN,
    edits: [{ find: "`lockstep-${web.name}-${publication}`", replace: "`lockstep-${web.name}-${marker.digest}`" }],
    caughtBy: ["test/targets/web/cdn.test.ts"],
  },
  {
    name: "unfinished-page-invalidated",
    breaks: "only a publication that is served is invalidated",
    file: CDN,
    edits: [{ find: 'if (marker.state !== "served") {', replace: 'if (marker.state === "none") {' }],
    caughtBy: ["test/targets/web/cdn.test.ts"],
  },
  {
    name: "old-page-not-waited-for-going-back",
    breaks: "I3: going back, no reader is given the newer page when the API moves",
    file: CDN,
    edits: [
      {
        find: 'turn.memory.open?.direction === "back" ? await',
        replace: "turn.memory.open?.direction === undefined ? await",
      },
    ],
    caughtBy: ["test/targets/web/cdn.test.ts"],
  },
  {
    name: "marker-after-the-copies",
    breaks: "the marker says publishing before the first key changes",
    file: PUBLISH,
    edits: [
      {
        find: "const begin = await on.markers.write(at, seen, begun(seen.marker, release, work, known, identity));\n    const etags = await copyAll(at, release, [work.stage, ...work.publish], known.inventory);",
        replace:
          "const etags = await copyAll(at, release, [work.stage, ...work.publish], known.inventory);\n    const begin = await on.markers.write(at, seen, begun(seen.marker, release, work, known, identity));",
      },
    ],
    caughtBy: ["test/targets/web/crash.test.ts"],
  },
  {
    name: "deleted-before-copied",
    breaks: "I3: what the old page links to goes only when the new page is there",
    file: PUBLISH,
    edits: [
      {
        find: "    const etags = await copyAll(at, release, [work.stage, ...work.publish], known.inventory);\n    await deleteKeys(on.buckets, at, work.deletions);",
        replace:
          "    await deleteKeys(on.buckets, at, work.deletions);\n    const etags = await copyAll(at, release, [work.stage, ...work.publish], known.inventory);",
      },
    ],
    caughtBy: ["test/targets/web/publish.test.ts"],
  },
  {
    name: "marker-without-condition",
    breaks: "I9: the marker is written under If-Match",
    file: "controller/targets/web/bucket.ts",
    edits: [
      {
        find: 'const condition = etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag };',
        replace: "const condition = etag === '' ? { IfMatch: etag } : {};",
      },
    ],
    caughtBy: ["test/targets/web/publish.test.ts"],
  },
  {
    name: "copied-bytes-not-checked",
    breaks: "I12: bytes that are not those of lockstep.json are not published",
    file: "controller/targets/web/copy.ts",
    edits: [
      {
        find: 'if (base64 === undefined || !file.checksum.startsWith("sha256:")) return;',
        replace: "if (base64 !== file.key) return;",
      },
    ],
    caughtBy: ["test/targets/web/publish.test.ts"],
  },
  {
    name: "foreign-keys-pruned",
    breaks: "only keys that our own markers list are ever deleted",
    file: "controller/targets/web/prune.ts",
    edits: [
      {
        find: "if (marker.journal !== turn.release.journal) return",
        replace: "if (marker.journal === turn.release.id) return",
      },
    ],
    caughtBy: ["test/targets/web/prune.test.ts"],
  },
  {
    name: "last-good-pruned",
    breaks: "the last good release stays, however old",
    file: "controller/targets/web/prune.ts",
    edits: [{ find: "...(good === undefined ? {} : { good }) };", replace: "...(good === undefined ? {} : {}) };" }],
    caughtBy: ["test/targets/web/prune.test.ts"],
  },
  {
    name: "health-version-not-compared",
    breaks: "I7: health is green only on the SHA that was released",
    file: "controller/targets/probe.ts",
    edits: [
      {
        find: "if (isVersionOf(version, sha)) return {",
        replace: "if (isVersionOf(version, sha) || status === 200) return {",
      },
    ],
    caughtBy: ["test/targets/probe.test.ts"],
  },
  {
    name: "health-asks-metadata",
    breaks: "a health check never asks a link-local or metadata address",
    file: "controller/targets/probe/get.ts",
    edits: [
      {
        find: "if (bad !== undefined) throw refusal(host, bad.address);",
        replace: "if (bad !== undefined && url.port === host) throw refusal(host, bad.address);",
      },
    ],
    caughtBy: ["test/targets/probe.test.ts"],
  },
];
