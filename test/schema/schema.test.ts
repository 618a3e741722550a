// The schemas are valid draft-07, every key says what it is for, and the generated types are those of the schemas.
import { readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { allKeys, explainKey } from "../../controller/manifest/explain.ts";
import { GENERATED, generatedTypes } from "../../scripts/generate-types.ts";

const KINDS = ["application", "environment", "controller"] as const;

async function schema(kind: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(new URL(`../../schema/${kind}.schema.json`, import.meta.url), "utf8");
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

type Visit = (node: Readonly<Record<string, unknown>>, pointer: string) => void;

function walk(value: unknown, pointer: string, visit: Visit): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) visit(value as Readonly<Record<string, unknown>>, pointer);
  for (const [key, member] of Object.entries(value)) walk(member, `${pointer}/${key}`, visit);
}

describe("the schemas", () => {
  it.each(KINDS)("%s is draft-07", async (kind) => {
    const found = await schema(kind);
    expect(found["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
    expect(new Ajv().validateSchema(found)).toBe(true);
  });

  it.each(KINDS)("every key of %s has a description and declares whether it makes a release", async (kind) => {
    walk(await schema(kind), "", (node, pointer) => {
      if (typeof node["properties"] !== "object" || pointer.endsWith("/properties")) return;
      for (const [key, value] of Object.entries(node["properties"] as Readonly<Record<string, object>>)) {
        if ("$ref" in value) continue;
        expect(value, `${pointer}/properties/${key}`).toMatchObject({
          description: expect.stringMatching(/^\S.*[.…]$/s),
          "x-fingerprint": expect.any(Boolean),
        });
      }
    });
  });

  it("every key that users reach is described, through references as well", () => {
    for (const key of allKeys()) {
      expect(explainKey(key).entry, key).toMatchObject({ description: expect.stringMatching(/\S/) });
    }
  });

  it.each(KINDS)("alternatives in %s stand alone, and each is of another kind", async (kind) => {
    walk(await schema(kind), "", (node, pointer) => {
      if (!Array.isArray(node["anyOf"])) return;
      // The validator asks the alternative of the value's kind what is wrong: beside annotations nothing may stand.
      const beside = Object.keys(node).filter(
        (key) => !["anyOf", "description", "default", "examples", "x-fingerprint", "x-supported"].includes(key),
      );
      expect(beside, pointer).toEqual([]);
      const kinds = (node["anyOf"] as Readonly<Record<string, unknown>>[]).map((each) => each["$ref"] ?? each["type"]);
      expect(new Set(kinds).size, pointer).toBe(kinds.length);
    });
  });

  it("keys whose behaviour comes later are these and no others", () => {
    const later = allKeys().filter((key) => explainKey(key).entry?.supported === false);
    expect(later.map((key) => key.replace("services.<name>.strategy", "strategy"))).toEqual([
      "strategy.canary",
      "strategy.linear",
      "strategy.blueGreen",
      ...["soak", "checks", "scan", "approvals", "freeze", "contains", "timezone"].map((gate) => `gates.${gate}`),
      "notify",
      "follow",
      "override",
      ...["soak", "checks", "scan", "approvals", "freeze"].map((floor) => `policy.${floor}`),
      "limits.lanes",
      "limits.repairsPerHour",
    ]);
  });
});

describe("the generated types", () => {
  it("are those of the schemas; scripts/generate-types.ts writes them", async () => {
    expect(await readFile(GENERATED, "utf8")).toBe(await generatedTypes());
  });
});
