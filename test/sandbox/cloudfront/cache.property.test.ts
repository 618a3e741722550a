import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSite } from "./support.ts";

// A second, naive account of the cache: what each path shows, since when, and which invalidations are on their way.
interface Shown {
  readonly body: string;
  readonly until: number;
}

const lifetimes: Readonly<Record<string, number>> = { "max-age=3600": 3600, "s-maxage=30": 30, "no-cache": 0 };
// Few keys and patterns, so that one invalidation and two views of the same path often meet.
const keys = ["a", "dir/", "dir/b"] as const;
const patterns = ["/a", "/dir/", "/dir/b", "/dir/*", "/d*", "/*", "/none"] as const;
const invalidationSeconds = 10;
const errorSeconds = 10;

type Step =
  | { readonly kind: "put"; readonly key: string; readonly cacheControl: string }
  | { readonly kind: "remove"; readonly key: string }
  | { readonly kind: "see"; readonly key: string }
  | { readonly kind: "invalidate"; readonly pattern: string }
  | { readonly kind: "pass"; readonly seconds: number };

const key = fc.constantFrom(...keys);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, cacheControl: fc.constantFrom(...Object.keys(lifetimes)) }),
  fc.record({ kind: fc.constant("remove" as const), key }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("see" as const), key }) },
  fc.record({ kind: fc.constant("invalidate" as const), pattern: fc.constantFrom(...patterns) }),
  fc.record({ kind: fc.constant("pass" as const), seconds: fc.integer({ min: 5, max: 40 }) }),
);

function means(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

function createModel() {
  const bucket = new Map<string, { body: string; cacheControl: string }>();
  const shown = new Map<string, Shown>();
  const pending: { pattern: string; at: number }[] = [];
  let now = 0;
  return {
    bucket,
    invalidate: (pattern: string) => void pending.push({ pattern, at: now + invalidationSeconds }),
    pass(seconds: number) {
      now += seconds;
      while (pending[0] !== undefined && pending[0].at <= now) {
        const [done] = pending.splice(0, 1);
        for (const path of shown.keys()) if (done !== undefined && means(done.pattern, path)) shown.delete(path);
      }
    },
    see(path: string): string {
      const kept = shown.get(path);
      if (kept !== undefined && now < kept.until) return kept.body;
      const object = bucket.get(path.slice(1));
      const seconds = object === undefined ? errorSeconds : (lifetimes[object.cacheControl] ?? 0);
      const fresh = { body: object?.body ?? "error", until: now + seconds };
      shown.set(path, fresh);
      return fresh.body;
    },
  };
}

describe("the cache", () => {
  it("shows what it showed before until that expires or an invalidation that means it completes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const site = await createSite({}, { invalidationDelayMs: invalidationSeconds * 1000 });
        const model = createModel();
        for (const [index, taken] of steps.entries()) {
          if (taken.kind === "put") {
            model.bucket.set(taken.key, { body: `v${index}`, cacheControl: taken.cacheControl });
            await site.put(taken.key, `v${index}`, taken.cacheControl);
          } else if (taken.kind === "remove") {
            model.bucket.delete(taken.key);
            await site.remove(taken.key);
          } else if (taken.kind === "invalidate") {
            // At most 15 wildcards at once: more is another test's matter.
            model.pass(1);
            site.pass(1);
            model.invalidate(taken.pattern);
            await site.invalidate(taken.pattern);
          } else if (taken.kind === "pass") {
            model.pass(taken.seconds);
            site.pass(taken.seconds);
          } else {
            const { status, body } = await site.get(`/${taken.key}`);
            expect(status === 200 ? body : "error").toBe(model.see(`/${taken.key}`));
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
