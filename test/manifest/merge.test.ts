// The laws of merging: the environment wins, the rest stays, and every value keeps the line it came from.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { merge, nodeAt, origins, plain, positionOf, type Mapping } from "../../controller/core/merge.ts";
import { asMapping } from "../../controller/manifest/validate.ts";
import { writtenOut } from "../../controller/manifest/shorthands.ts";
import { parseYaml } from "../../controller/manifest/yaml.ts";

function mapping(file: string, text: string): Mapping {
  const { tree } = parseYaml(file, text);
  const found = tree === undefined ? undefined : asMapping(tree);
  if (found === undefined || !("kind" in found)) throw new Error(`not a mapping: ${text}`);
  return writtenOut(found);
}

function merged(application: string, environment: string): unknown {
  return plain(merge(mapping("application.yaml", application), mapping("prod.yaml", environment)));
}

describe("merging", () => {
  it.each([
    ["keys of both stay", "a: 1\n", "b: 2\n", { a: 1, b: 2 }],
    ["the environment wins", "a: 1\n", "a: 2\n", { a: 2 }],
    [
      "mappings merge deeply",
      "aws: { region: x, cluster: y }\n",
      "aws: { cluster: z }\n",
      { aws: { region: "x", cluster: "z" } },
    ],
    [
      "lists replace",
      "services: { api: { after: [a, b] } }\n",
      "services: { api: { after: [c] } }\n",
      { services: { api: { after: ["c"] } } },
    ],
    [
      "nothing merges as an empty mapping",
      "services:\n  api: { count: 1 }\n",
      "services:\n  api:\n",
      { services: { api: { count: 1 } } },
    ],
    [
      "false removes a service",
      "services: { api: {}, worker: {} }\n",
      "services: { api: false }\n",
      { services: { worker: {} } },
    ],
    ["false for a service nobody has is nothing", "services: {}\n", "services: { api: false }\n", { services: {} }],
    [
      "false removes where the application has no services",
      "a: 1\n",
      "services: { api: false }\n",
      { a: 1, services: {} },
    ],
    ["false removes a web", "web: { site: { keep: 1 } }\n", "web: { site: false }\n", { web: {} }],
    ["migrate: false removes the migration", "migrate: { service: api }\n", "migrate: false\n", { migrations: {} }],
    [
      "the short form merges with the long one",
      "migrate: { service: api, timeout: 1m }\n",
      "migrations: { migrate: { timeout: 2m } }\n",
      { migrations: { migrate: { service: "api", timeout: "2m" } } },
    ],
    [
      "a migration an application turned off comes back",
      "migrate: false\n",
      "migrate: { service: api }\n",
      { migrations: { migrate: { service: "api" } } },
    ],
    [
      "a health in short merges with a long one",
      "services: { a: { health: u } }\n",
      "services: { a: { health: { for: 1m } } }\n",
      { services: { a: { health: { url: "u", for: "1m" } } } },
    ],
    [
      "a strategy replaces",
      "services: { a: { strategy: { canary: { percent: 1 } } } }\n",
      "services: { a: { strategy: rolling } }\n",
      { services: { a: { strategy: { rolling: {} } } } },
    ],
    [
      "a strategy of the same kind replaces as well",
      "services: { a: { strategy: { canary: { percent: 1 } } } }\n",
      "services: { a: { strategy: { canary: { bake: 1m } } } }\n",
      { services: { a: { strategy: { canary: { bake: "1m" } } } } },
    ],
    [
      "a family replaces a file",
      "services: { a: { task: x.json } }\n",
      "services: { a: { task: { family: f } } }\n",
      { services: { a: { task: { family: "f" } } } },
    ],
    [
      "false elsewhere is a value",
      "gates: { promotedFrom: dev }\n",
      "gates: { promotedFrom: false }\n",
      { gates: { promotedFrom: false } },
    ],
  ])("%s", (_, application, environment, expected) => {
    expect(merged(application, environment)).toEqual(expected);
  });

  it("a value knows its line, and a key its own", () => {
    const tree = merge(
      mapping("application.yaml", "a: { b: 1, c: [2, 3] }\n"),
      mapping("prod.yaml", "# x\na: { b: 4 }\n"),
    );
    expect(Object.fromEntries(origins(tree))).toEqual({
      "/a/b": { file: "prod.yaml", line: 2, column: 9 },
      "/a/c/0": { file: "application.yaml", line: 1, column: 16 },
      "/a/c/1": { file: "application.yaml", line: 1, column: 19 },
    });
    expect(positionOf(tree, ["a", "c"])).toEqual({ file: "application.yaml", line: 1, column: 12 });
    expect(positionOf(tree, ["a", "nothing", "here"])).toEqual({ file: "prod.yaml", line: 2, column: 1 });
  });
});

describe("for any two manifests", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom("x", "y"),
      fc.array(fc.constantFrom(1, 2), { maxLength: 2 }),
      tie("map"),
    ),
    map: fc.dictionary(fc.constantFrom("a", "b", "c", "~", "d/e"), tie("any"), { maxKeys: 4 }),
  })).map;
  const tree = (file: string, json: unknown): Mapping => mapping(file, JSON.stringify(json));

  it("merging with nothing, or with itself, changes nothing", () => {
    fc.assert(
      fc.property(value, (json) => {
        const [one, none] = [tree("a", json), tree("b", {})];
        expect(plain(merge(one, none))).toEqual(plain(one));
        expect(plain(merge(none, one))).toEqual(plain(one));
        expect(plain(merge(one, one))).toEqual(plain(one));
      }),
    );
  });

  it("each value comes from the environment if that has it, else from the application", () => {
    fc.assert(
      fc.property(value, value, (base, over) => {
        const [application, environment] = [tree("application", base), tree("environment", over)];
        const both = merge(application, environment);
        for (const [pointer, { file }] of origins(both)) {
          if (pointer === "") continue;
          const path = pointer
            .split("/")
            .slice(1)
            .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
          const own = nodeAt(environment, path);
          const source = file === "environment" ? own : nodeAt(application, path);
          expect(source === undefined ? undefined : plain(source)).toEqual(plain(nodeAt(both, path) ?? both));
          if (own !== undefined && own.kind !== "mapping") expect(file).toBe("environment");
        }
      }),
    );
  });

  it("no key is lost, and none is invented", () => {
    fc.assert(
      fc.property(value, value, (base, over) => {
        const both = merge(tree("a", base), tree("b", over));
        const keys = new Set([...Object.keys(base as object), ...Object.keys(over as object)]);
        expect(new Set(both.members.keys())).toEqual(keys);
      }),
    );
  });
});
