// What YAML may not do in a manifest, and that no text makes the reader throw.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain } from "../../controller/core/merge.ts";
import { describeProblem } from "../../controller/manifest/problem.ts";
import { parseYaml } from "../../controller/manifest/yaml.ts";

function problems(text: string): string[] {
  return parseYaml("prod.yaml", text).problems.map((each) => describeProblem(each).replace("prod.yaml:", ""));
}

function value(text: string): unknown {
  const { tree, problems: found } = parseYaml("prod.yaml", text);
  expect(found).toEqual([]);
  return tree === undefined ? undefined : plain(tree);
}

describe("what YAML may not do", () => {
  it.each([
    ["an anchor", "a: &x 1\n", ["1:7 anchor &x: anchors are not allowed (write the value out where it is used)"]],
    ["an alias", "a: *x\n", ["1:4 alias *x: aliases are not allowed (write the value out)"]],
    [
      "an anchor and its alias",
      "a: &x 1\nb: *x\n",
      [
        "1:7 anchor &x: anchors are not allowed (write the value out where it is used)",
        "2:4 alias *x: aliases are not allowed (write the value out)",
      ],
    ],
    ["a tag", "sha: !!str 6801028\n", ["1:12 tag tag:yaml.org,2002:str: tags are not allowed (remove it)"]],
    ["an own tag", "a: !env x\n", ["1:9 tag !env: tags are not allowed (remove it)"]],
    [
      "two documents",
      "a: 1\n---\nb: 2\n",
      ["2:1 a second document; a file holds one (remove `---` and what follows it)"],
    ],
    [
      "duplicate keys",
      "services:\n  api:\n  worker:\n  api: {}\n",
      ['4:3 duplicate key "api": it stands in line 2 already (keep one of the two)'],
    ],
    [
      "an older YAML",
      "%YAML 1.1\n---\na: yes\n",
      ["1:1 YAML directives (%YAML, %TAG) are not allowed (remove the line)"],
    ],
    ["a key that is a list", "? [a]\n: b\n", ["1:3 a key must be text"]],
    ["a tab for indentation", "a:\n\tb: 1\n", ["2:1 not valid YAML: Tabs are not allowed as indentation"]],
    ["a quote left open", 'a: "b\n', ['2:1 not valid YAML: Missing closing "quote']],
    ["deep nesting", `a: ${"[".repeat(40)}`, ["1:36 nested deeper than 32 levels"]],
    ["deep nesting in a line of dashes", "- ".repeat(100_000), ["1:65 nested deeper than 32 levels"]],
    [
      "deep nesting by indentation",
      Array.from({ length: 40 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
      ["34:34 nested deeper than 32 levels"],
    ],
    ["a large file", `# ${"x".repeat(262_144)}\n`, ["1:1 the file is larger than 256 KiB"]],
    [
      "two mistakes at once",
      "a: 1\na: 2\nb: &x 3\n",
      [
        '2:1 duplicate key "a": it stands in line 1 already (keep one of the two)',
        "3:7 anchor &x: anchors are not allowed (write the value out where it is used)",
      ],
    ],
  ])("%s is refused with its place", (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it("merge keys and yes are plain text of YAML 1.2", () => {
    expect(value("<<: { a: yes }\n")).toEqual({ "<<": { a: "yes" } });
  });

  it("an empty file, comments alone and a byte order mark are an empty mapping", () => {
    for (const text of ["", "\n# nothing\n", "---\n", "\uFEFF"]) expect(value(text)).toEqual({});
  });
});

describe("a SHA is the text that stands there", () => {
  it.each([
    "6801028",
    "72225e2",
    "0192117",
    "1234567",
    "4225332178759948e04347560002921719079454",
    "1111111111111111111111111111111111111111",
    "9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01",
  ])("%s, quoted or not", (sha) => {
    for (const written of [sha, `'${sha}'`, `"${sha}"`, `${sha}   # comment`]) {
      expect(value(`sha: ${written}\n`)).toEqual({ sha });
    }
    expect(value(`services: { api: { sha: ${sha} } }`)).toEqual({ services: { api: { sha } } });
  });

  it("an account keeps its leading zero", () => {
    expect(value("account: 012345678901")).toEqual({ account: "012345678901" });
  });
});

describe("reading YAML is total", () => {
  const noise = fc.array(
    fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      "- ",
      "? ",
      ": ",
      "\n",
      " ",
      "a",
      "&x ",
      "*x",
      "!t ",
      "|\n",
      ">",
      "'",
      '"',
      "#",
      "%",
      "---\n",
      "...\n",
      "\t",
      ",",
      "\u0000",
      "\uFEFF",
      "é",
      "1e9",
      "\r\n",
    ),
    { maxLength: 60 },
  );

  it("no arrangement of its punctuation throws", () => {
    fc.assert(
      fc.property(noise, (pieces) => {
        const { tree, problems: found } = parseYaml("f.yaml", pieces.join(""));
        expect(tree !== undefined || found.length > 0).toBe(true);
        for (const { line, column } of found) expect(line >= 1 && column >= 1).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it("no text throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        parseYaml("f.yaml", text);
      }),
      { numRuns: 1_000 },
    );
  });

  it("JSON without keys called sha or account keeps its value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
        const text = JSON.stringify(json);
        fc.pre(!/"(sha|account)":/.test(text) && json !== null);
        expect(value(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
