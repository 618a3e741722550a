// What `lockstep explain` has to say comes from the schemas alone.
import { describe, expect, it } from "vitest";
import { allKeys, explainKey } from "../../controller/manifest/explain.ts";

describe("explaining a key", () => {
  it("says what it is, where it stands, and what it does", () => {
    expect(explainKey("gates.soak")).toEqual({
      entry: {
        key: "gates.soak",
        type: "text",
        description: "How long that SHA or a descendant must have stayed healthy in the environment before.",
        where: ["application.yaml", "environment files"],
        examples: [],
        children: [],
        fingerprint: false,
        supported: false,
      },
      near: [],
    });
  });

  it.each([
    [
      "services.api.timeout",
      {
        key: "services.<name>.timeout",
        type: "a duration such as 500ms, 5s, 20m, 2h or 7d",
        default: "15m",
        fingerprint: true,
      },
    ],
    ["services.<name>.sha", { where: ["environment files"], supported: true }],
    ["services.api", { key: "services.<name>", where: ["application.yaml", "environment files"] }],
    ["drift", { type: "one of report, repair, ignore", default: "report", fingerprint: false }],
    ["services.api.health", { type: "text or mapping", children: ["url", "status", "version", "for", "timeout"] }],
    ["services.api.strategy.canary.percent", undefined],
    ["aws.cluster", { default: "{env}" }],
    [
      "pipeline",
      {
        type: "list",
        where: ["application.yaml"],
        examples: ["[dev, staging, prod]", "[dev, staging, [prod-eu, prod-us]]"],
      },
    ],
    ["environments.prod.role", { key: "environments.<name>.role", where: ["LOCKSTEP_CONFIG"] }],
    ["x-mine", { key: "x-mine", description: "Yours: keys that begin with x- are ignored.", fingerprint: false }],
  ] as const)("%s", (path, expected) => {
    const { entry } = explainKey(path);
    if (expected === undefined) expect(entry).toBeUndefined();
    else expect(entry).toMatchObject(expected);
  });

  it.each([
    ["gate.soak", ["gates.soak"]],
    ["gates.sok", ["gates.soak"]],
    ["services.api.helth.url", ["services.api.health.url"]],
    ["soak", ["gates.soak", "policy.soak"]],
    ["zzz", []],
    ["", []],
  ])("%s is unknown and has near ones", (path, near) => {
    expect(explainKey(path).entry).toBeUndefined();
    expect(explainKey(path).near).toEqual(expect.arrayContaining(near));
    if (near.length === 0) expect(explainKey(path).near).toEqual([]);
  });

  it("knows every key that exists", () => {
    for (const key of allKeys()) expect(explainKey(key).entry, key).toMatchObject({ key });
  });
});
