import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STATES } from "../../controller/core/looks.ts";
import type { State } from "../../controller/core/status.ts";
import { STYLE } from "../../controller/server/style.ts";
import { blocked, converging, document, drifted, failed, healthy, SHOP, waiting } from "../cli/shop.ts";
import type { Theatre } from "./board.ts";
import { open } from "./board.ts";

let theatre: Theatre;
beforeAll(async () => {
  theatre = await open(SHOP);
});
afterAll(() => theatre.server.close());

async function page(path: string): Promise<string> {
  const response = await fetch(`${theatre.server.address}${path}`);
  expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
  return response.text();
}

/** What a reader hears, without markup. */
function spoken(html: string): string {
  return html
    .replace(/<head>.*<\/head>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, " ");
}

const PATHS = ["/", "/env/shop/prod", "/env/shop/prod/release/12", "/env/shop/nowhere"];

describe("every page", () => {
  test.each(PATHS)(
    "%s stands alone: no script, no other host, one heading, a language, a way past the header",
    async (path) => {
      theatre.show(SHOP);
      const html = await page(path);
      expect(html).toMatch(/^<!doctype html><html lang="en">/);
      expect(html).not.toMatch(/<script|<iframe|<form|<img|style="|\son\w+=/);
      expect(html.match(/(?:href|src)="(?!\/|#|"|data:image\/svg)[^"]*"/g) ?? []).toEqual(
        path === "/env/shop/prod" ? ['href="https://prod.acme.dev"'] : [],
      );
      expect(html.match(/<h1>/g)).toHaveLength(1);
      expect(html).toContain('href="#main"');
      expect(html.length).toBeLessThan(100_000);
    },
  );

  test.each(PATHS)("%s shows hostile text as text", async (path) => {
    const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`;
    const bad = failed("prod", {
      why: hostile,
      next: hostile,
      problems: [hostile],
      log: [hostile],
      url: "javascript:alert(1)",
    });
    const { repositories } = SHOP;
    theatre.show({
      ...document(bad),
      repositories: repositories.map((one) => ({ ...one, halted: hostile, trouble: hostile })),
    });
    const html = await page(path);
    expect(html).not.toContain("<script");
    expect(html).not.toContain("<img");
    expect(html).not.toContain('href="javascript');
    if (!path.endsWith("nowhere")) expect(html).toContain("&lt;script&gt;");
  });
});

describe("the overview", () => {
  test("says every state by shape and word, and explains all of them", async () => {
    const names = Object.keys(STATES) as readonly State[];
    theatre.show(document(...names.map((state, index) => healthy(`e${index}`, { state }))));
    const text = spoken(await page("/"));
    for (const state of names) expect(text).toContain(`${STATES[state].symbol} ${STATES[state].word}`);
  });

  test("puts what needs somebody first, the most urgent on top, and nothing else", async () => {
    const all = [
      healthy("dev"),
      waiting("qa"),
      drifted("staging"),
      failed("prod"),
      blocked("demo"),
      converging("next"),
    ];
    theatre.show(document(...all));
    const html = await page("/");
    const list = /<h2 id="attention">.*?<\/ul>/s.exec(html)?.[0] ?? "";
    expect([...list.matchAll(/href="\/env\/shop\/(\w+)"/g)].map(([, name]) => name)).toEqual([
      "prod",
      "demo",
      "staging",
      "qa",
    ]);
    expect(html).toMatch(/<title>✖ shop/);
    expect(spoken(list)).toContain("clears in 48m, at 15:08 UTC");
  });

  test("is a real table: a header for each environment and each component", async () => {
    theatre.show(SHOP);
    const html = await page("/");
    expect(html.match(/<th scope="col">/g)).toHaveLength(3);
    expect(html.match(/<th scope="row">/g)).toHaveLength(4);
    expect(html).toContain("<caption>");
  });

  test("says that nothing needs anybody, and when there is no application", async () => {
    theatre.show(document(healthy("dev")));
    expect(spoken(await page("/"))).toContain("Nothing needs you.");
    theatre.show(document());
    expect(spoken(await page("/"))).toContain("No application here yet");
  });
});

describe("an environment", () => {
  test("shows its release step by step with the log of a failed migration", async () => {
    theatre.show(SHOP);
    const text = spoken(await page("/env/shop/prod"));
    expect(text).toContain("migrate ✖ failed");
    expect(text).toContain('ERROR: relation "coupons" already exists');
    expect(text).toContain("deploy api – not started");
    expect(text).toContain("Next: revert or fix it in Git");
    expect(text).toContain("Git says 9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01");
  });

  test("that drifted shows what differs and how to put it back", async () => {
    theatre.show(SHOP);
    const text = spoken(await page("/env/shop/staging"));
    expect(text).toContain("◆ api count 1 → 2");
    expect(text).toContain("`lockstep repair shop/staging` puts back what Git says");
  });

  test("or release that is not there is a page that says so, with 404", async () => {
    theatre.show(SHOP);
    for (const path of ["/env/shop/nowhere", "/env/shop/prod/release/99"]) {
      const response = await fetch(`${theatre.server.address}${path}`);
      expect(response.status).toBe(404);
      expect(spoken(await response.text())).toContain("Nothing here");
    }
  });
});

test("every colour of the style sheet has a contrast of at least 4.5 on page and panel, light and dark", () => {
  for (const block of STYLE.match(/:root \{[^}]*--page[^}]*\}/g) ?? []) {
    const colours = new Map([...block.matchAll(/--(\w+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]));
    expect(colours.size).toBeGreaterThan(8);
    for (const ground of ["page", "panel"]) {
      for (const name of ["text", "muted", "ok", "run", "wait", "bad", "drift"]) {
        const ratio = contrast(colours.get(name) ?? "", colours.get(ground) ?? "");
        expect(ratio, `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  }
});

/** WCAG 2.2, relative luminance: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
