import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Environment } from "../../controller/core/environment.ts";
import type { Unsigned } from "../../controller/core/fingerprint.ts";
import {
  canonical,
  digestOf,
  fingerprint,
  migrationKey,
  serviceKey,
  settingsKey,
  UNKEYED,
} from "../../controller/core/fingerprint.ts";
import { A, API, B, digest, environment, migration, service, web } from "./shop.ts";

const at = (more: Partial<Environment>): Unsigned => ({ ...environment(A), ...more });

describe("Canonical JSON", () => {
  test("does not depend on the order of keys", () => {
    const shuffled = fc.dictionary(fc.string(), fc.jsonValue()).chain((value) =>
      fc.shuffledSubarray(Object.entries(value), { minLength: Object.keys(value).length }).map((entries) => ({
        value,
        other: Object.fromEntries(entries),
      })),
    );
    fc.assert(fc.property(shuffled, ({ value, other }) => canonical(other) === canonical(value)));
  });

  test("reads back as the value it was made of", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonical(JSON.parse(canonical(value)))).toBe(canonical(value));
      }),
    );
  });

  test("treats a field that is undefined like one that is missing", () => {
    expect(canonical({ a: 1, b: undefined })).toBe(canonical({ a: 1 }));
  });

  test("keeps the order of lists", () => {
    expect(canonical([1, 2])).not.toBe(canonical([2, 1]));
  });
});

describe("The fingerprint", () => {
  test.each<[string, Partial<Environment>]>([
    ["the SHA", { sha: B }],
    ["the region", { place: { region: "us-east-1", cluster: "prod" } }],
    ["the cluster", { place: { region: "eu-west-1", cluster: "other" } }],
    ["a service's SHA", { services: [service(B)] }],
    ["a service's count", { services: [service(A, API, { count: 3 })] }],
    ["a service's time-out", { services: [service(A, API, { timeoutMs: 1 })] }],
    ["a service's container", { services: [service(A, API, { container: "app" })] }],
    ["a service's template", { services: [service(A, API, { task: { kind: "family", family: "shop" } })] }],
    ["the order of services", { services: [service(A, API, { after: [API] })] }],
    ["a service's health", { services: [service(A, API, { health: { url: "https://a", forMs: 1, timeoutMs: 2 } })] }],
    ["a migration's command", { migrations: [migration(A, { command: ["other"] })] }],
    ["no migration any more", { migrations: [] }],
    ["a web's bucket", { webs: [web(A, { bucket: "other" })] }],
    ["a web's prefix", { webs: [web(A, { prefix: "shop/" })] }],
    ["a web's domain", { webs: [web(A, { domain: "other.example" })] }],
    ["a web's paths to invalidate", { webs: [web(A, { invalidate: ["/"] })] }],
  ])("changes with %s", (_, more) => {
    expect(fingerprint(at(more))).not.toBe(fingerprint(at({})));
  });

  test.each<[string, Partial<Environment>]>([
    ["a hold", { hold: { reason: "freeze" } }],
    ["gates", { gates: { promotedFrom: [environment(A).name] } }],
    ["drift", { drift: "repair" }],
    ["onFailure", { onFailure: "stop" }],
    ["url", { url: "https://shop.example" }],
    ["parallel", { parallel: 1 }],
    ["paths", { services: environment(A).services.map((one) => ({ ...one, paths: ["api/"] })) }],
    ["keep", { webs: [web(A, { keep: 9 })] }],
    ["the commit it was read at", { revision: { repository: "5eed5eed5eed5eed", commit: B, folder: "shop" } }],
  ])("does not change with %s, which acts at once and makes no release", (_, more) => {
    expect(fingerprint(at(more))).toBe(fingerprint(at({})));
  });

  test("is the same for a value that was put back by its recorded version", () => {
    const recorded = environment(A).services.map((one) => ({ ...one, recorded: { version: "arn" as never } }));
    expect(fingerprint(at({ services: recorded }))).toBe(fingerprint(at({})));
  });
});

describe("Keys", () => {
  test("of a service's content change with its image and its template, not with what is set beside it", () => {
    const image = digest("service/api", A);
    expect(serviceKey(service(A), digest("service/api", B))).not.toBe(serviceKey(service(A), image));
    expect(serviceKey(service(A, API, { container: "app" }), image)).not.toBe(serviceKey(service(A), image));
    expect(serviceKey(service(A, API, { count: 5, timeoutMs: 1 }), image)).toBe(serviceKey(service(A), image));
  });

  test("of a service's settings change with its count, not with its image", () => {
    expect(settingsKey(service(A, API, { count: 5 }))).not.toBe(settingsKey(service(A)));
    expect(settingsKey(service(B))).toBe(settingsKey(service(A)));
  });

  test("of a migration are its own in each application, environment, name and commit", () => {
    const keys = [
      migrationKey(environment(A), migration(A)),
      migrationKey(environment(A), migration(B)),
      migrationKey(environment(A), migration(A, { name: "content" as never })),
      migrationKey({ application: "shop" as never, name: "dev" as never }, migration(A)),
      migrationKey({ application: "blog" as never, name: "prod" as never }, migration(A)),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("of a migration do not change with its command, which decides nothing about whether it has run", () => {
    expect(migrationKey(environment(A), migration(A, { command: ["x"] }))).toBe(
      migrationKey(environment(A), migration(A)),
    );
  });

  test("of anything that was hashed are never the key of the unknown", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => digestOf(value) !== UNKEYED));
  });
});
