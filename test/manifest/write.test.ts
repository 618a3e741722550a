// Splicing a SHA changes one token and nothing else, whatever the file looks like.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Sha } from "../../controller/core/brand.ts";
import { plain } from "../../controller/core/merge.ts";
import { spliceSha, type ShaPath } from "../../controller/manifest/write.ts";
import { parseYaml } from "../../controller/manifest/yaml.ts";
import { OTHER, SHA } from "./support.ts";

describe("splicing a SHA", () => {
  it.each<[string, ShaPath, string, string]>([
    ["a plain one", ["sha"], `sha: ${SHA}\n`, `sha: ${OTHER}\n`],
    [
      "with a comment and its alignment",
      ["sha"],
      `sha:   ${SHA}     # bump me\nx: 1\n`,
      `sha:   ${OTHER}     # bump me\nx: 1\n`,
    ],
    ["a short one", ["sha"], "sha: 6801028 # number\n", `sha: ${OTHER} # number\n`],
    ["in single quotes", ["sha"], `sha: '72225e2'\n`, `sha: '${OTHER}'\n`],
    ["in double quotes", ["sha"], `sha: "${SHA}"\n`, `sha: "${OTHER}"\n`],
    ["with line ends of Windows", ["sha"], `# a\r\nsha: ${SHA}\r\nurl: x\r\n`, `# a\r\nsha: ${OTHER}\r\nurl: x\r\n`],
    ["after a byte order mark", ["sha"], `\uFEFFsha: ${SHA}`, `\uFEFFsha: ${OTHER}`],
    [
      "a pin",
      ["services", "api", "sha"],
      `sha: ${SHA}\nservices:\n  api: { sha: ${SHA}, count: 1 }\n`,
      `sha: ${SHA}\nservices:\n  api: { sha: ${OTHER}, count: 1 }\n`,
    ],
    ["a pin of a web", ["web", "site", "sha"], `web:\n  site:\n    sha: ${SHA}`, `web:\n  site:\n    sha: ${OTHER}`],
    [
      "after a text that looks like one",
      ["sha"],
      `url: "sha: ${SHA}"\nsha: ${SHA}\n`,
      `url: "sha: ${SHA}"\nsha: ${OTHER}\n`,
    ],
  ])("%s", (_, path, before, after) => {
    expect(spliceSha(before, path, OTHER)).toBe(after);
  });

  it.each<[string, ShaPath, string]>([
    ["there is none", ["sha"], "url: x\n"],
    ["it is empty", ["sha"], "sha:\n"],
    ["it is a branch", ["sha"], "sha: main\n"],
    ["it is a block", ["sha"], `sha: |\n  ${SHA}\n`],
    ["it is doubled", ["sha"], `sha: ${SHA}\nsha: ${SHA}\n`],
    ["it has a tag", ["sha"], `sha: !!str ${SHA}\n`],
    ["it is an alias", ["sha"], `x: &a ${SHA}\nsha: *a\n`],
    ["the file is broken", ["sha"], `sha: ${SHA}\nx: [\n`],
    ["there is no such service", ["services", "api", "sha"], `sha: ${SHA}\nservices: [a]\n`],
  ])("is refused when %s", (_, path, text) => {
    expect(() => spliceSha(text, path, OTHER)).toThrow(
      `there is no ${path.join(".")} to replace; write \`${path.join(".")}:\` with its commit by hand first`,
    );
  });

  it("in any file changes that token alone", () => {
    const digit = fc.constantFrom(..."0123456789abcdef".split(""));
    const sha = (least: number): fc.Arbitrary<string> => fc.string({ unit: digit, minLength: least, maxLength: 40 });
    const full = sha(40)
      .filter((text) => !/^0+$/.test(text))
      .map((text) => Sha.parse(text));
    const line = fc.constantFrom(
      "# comment",
      "",
      "x-a: [1, 2]",
      "url: 'https://x'   # why",
      'hold: { reason: "x # y" }',
    );
    const layout = fc.record({
      before: fc.uniqueArray(line, { maxLength: 3 }),
      after: fc.uniqueArray(line, { maxLength: 3 }),
      old: sha(7),
      quote: fc.constantFrom("", "'", '"'),
      gap: fc.constantFrom(" ", "    ", "\t"),
      comment: fc.constantFrom("", "  # was 1234567"),
      end: fc.constantFrom("\n", "\r\n"),
      mark: fc.constantFrom("", "\uFEFF"),
    });
    fc.assert(
      fc.property(layout, full, ({ before, after, old, quote, gap, comment, end, mark }, next) => {
        const own = after.filter((each) => !before.includes(each) || !each.includes(":"));
        const [head, tail] = [
          mark + [...before, `sha:${gap}${quote}`].join(end),
          `${quote}${comment}${end}${own.join(end)}`,
        ];
        const spliced = spliceSha(head + old + tail, ["sha"], next);
        expect(spliced).toBe(head + next + tail);
        const { tree } = parseYaml("f.yaml", spliced);
        expect(tree === undefined ? undefined : plain(tree)).toMatchObject({ sha: next });
        expect(spliceSha(spliced, ["sha"], next)).toBe(spliced);
      }),
    );
  });
});
