// The runbooks: a page for every code that needs one, pages that keep their shape, and commands that exist.
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../controller/cli/commands.ts";
import { FAULTS, FaultCode } from "../../controller/core/fault.ts";
import { runbookOf } from "../../controller/core/runbooks.ts";

const ROOT = new URL("../../", import.meta.url);
const CODES = Object.keys(FAULTS).filter((code) => FaultCode.is(code));
const HEADINGS = [
  "What it means",
  "What Lockstep has done, and not done",
  "What to look at",
  "How to go on",
  "How to know it is over",
];

/** Codes without a page, each with why its own sentence is enough. */
const SELF_EXPLANATORY: Readonly<Partial<Record<FaultCode, string>>> = {
  "manifest-invalid": "names file, line and column",
  "sha-unknown": "names the commit that is to be pushed",
  "task-template-invalid": "names the file or the container",
  "service-missing": "somebody creates the service",
  "service-unsupported": "somebody recreates the service, or leaves it out",
  "count-owned-elsewhere": "one of two lines goes",
  "cluster-missing": "a name is corrected",
  "bucket-missing": "a name is corrected",
  "distribution-missing": "a name is corrected",
  "region-wrong": "a name is corrected",
  throttled: "passes by itself",
  unavailable: "passes by itself",
  "outcome-unknown": "Lockstep reads before it sends again",
  "aws-refused": "AWS's own message names the limit or the resource",
  "no-capacity": "capacity, then retry",
  "repository-unreachable": "passes by itself, or an address is corrected",
  "repository-denied": "a token is renewed",
  "address-unavailable": "another port",
  fenced: "the other controller goes on",
  aborted: "a person ended it and knows why",
  "step-crashed": "a bug: it is to be reported",
};

async function read(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), "utf8");
}

async function pages(): Promise<readonly string[]> {
  const names = await readdir(new URL("docs/runbooks/", ROOT));
  return names.filter((name) => name !== "README.md").map((name) => `docs/runbooks/${name}`);
}

test("every code has a page, or a reason to need none", () => {
  const without = CODES.filter((code) => runbookOf(code) === undefined);
  expect(without.toSorted()).toEqual(Object.keys(SELF_EXPLANATORY).toSorted());
});

test("every page belongs to a code, and every code's page exists", async () => {
  const linked = new Set(CODES.flatMap((code) => runbookOf(code) ?? []));
  expect([...linked].toSorted()).toEqual((await pages()).toSorted());
});

test("the table of pages is that of the code", async () => {
  const rows = [...(await read("docs/runbooks/README.md")).matchAll(/^\| \[.*\]\((.*)\) \| (.*) \|$/gm)];
  const said = rows.flatMap(([, page, codes = ""]) =>
    [...codes.matchAll(/`([\w-]+)`/g)].map(([, code]) => `${code} docs/runbooks/${page}`),
  );
  const real = CODES.flatMap((code) => {
    const page = runbookOf(code);
    return page === undefined ? [] : [`${code} ${page}`];
  });
  expect(said.toSorted()).toEqual(real.toSorted());
});

describe("each page", async () => {
  for (const page of await pages()) {
    test(`${page} answers the five questions, in order`, async () => {
      const headings = [...(await read(page)).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect(headings).toEqual(HEADINGS);
    });

    test(`${page} names the codes that lead to it`, async () => {
      const text = await read(page);
      for (const code of CODES.filter((one) => runbookOf(one) === page)) expect(text).toContain(code);
    });

    test(`${page} uses commands and options that exist`, async () => {
      const text = await read(page);
      const said = [...text.matchAll(/lockstep ([a-z]+)([^`\n]*)/g)];
      expect(said.length).toBeGreaterThan(0);
      for (const [whole, name, rest = ""] of said) {
        const command = COMMANDS.find((one) => one.name === name);
        expect(command, whole).toBeDefined();
        const [options = ""] = rest.split("#");
        for (const [, option = ""] of options.matchAll(/--([a-z-]+)/g)) {
          expect([...Object.keys(command?.options ?? {}), "json", "help"], whole).toContain(option);
        }
      }
    });
  }
});

test("every link between the pages of docs/ leads somewhere", async () => {
  const folders = ["docs/", "docs/iam/", "docs/runbooks/"];
  for (const folder of folders) {
    for (const name of await readdir(new URL(folder, ROOT))) {
      if (!name.endsWith(".md")) continue;
      for (const [, target = ""] of (await read(`${folder}${name}`)).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        const file = new URL(target, new URL(folder, ROOT));
        await expect(readdirOrRead(file), `${folder}${name} → ${target}`).resolves.toBeDefined();
      }
    }
  }
});

async function readdirOrRead(file: URL): Promise<unknown> {
  return file.pathname.endsWith("/") ? readdir(file) : readFile(file);
}
