// Where a release begins: on the memory it was decided on, and with one set of digests from its start to its end.
import { describe, expect, test } from "vitest";
import type { Digest } from "../../controller/core/brand.ts";
import { Instant } from "../../controller/core/brand.ts";
import type { EnvironmentEvent } from "../../controller/core/event.ts";
import type { LiveState } from "../../controller/core/live.ts";
import { plan } from "../../controller/core/plan.ts";
import { stepId } from "../../controller/core/step.ts";
import { createBus } from "../../controller/engine/bus.ts";
import { createLedger } from "../../controller/engine/ledger.ts";
import type { Released, ReleaseParts } from "../../controller/engine/release.ts";
import { release } from "../../controller/engine/release.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import type { Clock, Runners } from "../../controller/ports.ts";
import { A, arrived, B, bumped, C, digest, environment, NOW, started } from "../core/shop.ts";

const DESIRED = environment(B);
const LIVE = bumped(environment(A), DESIRED);

/** Time stands still; who sleeps is woken by the end alone. */
const clock: Clock = {
  now: () => Instant.of(NOW),
  monotonicMs: () => 0,
  sleep: (_, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
};

/** A journal that holds these events, and runners that all end well. */
async function open(...events: readonly EnvironmentEvent[]) {
  const [journal, bus] = [createMemoryJournal(), createBus([])];
  const ledger = createLedger("shop/prod", { journal, bus, clock, writer: "one", leaseTtlMs: 60_000 });
  for (const event of events) await ledger.append(event);
  const ran: string[] = [];
  const kinds = ["verify", "migrate", "stage", "deploy", "publish", "invalidate", "health", "prune"] as const;
  const run = (step: { readonly kind: string }) => {
    ran.push(step.kind);
    return Promise.resolve({ status: "done" } as const);
  };
  const runners = Object.fromEntries(kinds.map((kind) => [kind, run])) as unknown as Runners;
  const random = (bytes: number): string => "0".repeat(bytes * 2);
  const parts: ReleaseParts = { runners, ledger, bus, clock, random, journalId: "j", leaseTtlMs: 60_000 };
  const begin = (live: LiveState, memory = ledger.memory(), more: Pick<Released, "goesOn"> = {}) => {
    const planned = plan(DESIRED, live);
    const what: Released = { kind: "release", desired: DESIRED, live, plan: planned, memory, why: "test", ...more };
    return release(what, new Map(), parts, new AbortController());
  };
  const types = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { event } of journal.read("environment/shop/prod", events.length + 1)) found.push(event.type);
    return found.filter((type) => type.startsWith("release-"));
  };
  return { ledger, begin, types, ran };
}

describe("A release", () => {
  test("that was decided before something else was journaled is decided anew", async () => {
    const { ledger, begin, types, ran } = await open(arrived(DESIRED) as EnvironmentEvent);
    const before = ledger.memory();
    await ledger.append({ type: "hold-seen", reason: "freeze" });
    expect(await begin(LIVE, before)).toEqual({ how: "outdated" });
    expect([await types(), ran]).toEqual([[], []]);
  });

  const begun = [arrived(DESIRED), started(DESIRED, 1)] as readonly EnvironmentEvent[];

  test("that is open goes on under its number", async () => {
    const { begin, types, ran } = await open(...begun);
    expect(await begin(LIVE)).toEqual({ how: "done" });
    expect(await types()).toEqual(["release-succeeded"]);
    expect(ran).toContain("deploy");
  });

  test("that is open ends when a tag has moved since, and another one begins", async () => {
    const { ledger, begin, types } = await open(...begun);
    const rebuilt: Digest = digest("rebuilt", B);
    const artifacts = new Map(LIVE.artifacts).set("service/api", { state: "resolved", digest: rebuilt, from: "tag" });
    expect(await begin({ ...LIVE, artifacts })).toEqual({ how: "done" });
    expect(await types()).toEqual(["release-superseded", "release-started", "release-succeeded"]);
    expect(ledger.memory().good?.artifacts).toMatchObject({ "service/api": rebuilt });
  });

  test("that goes on although Git asks for something else tries nothing again that had failed in it", async () => {
    const step = plan(DESIRED, LIVE).steps.find(({ kind }) => kind === "migrate");
    if (step === undefined) throw new Error("the plan migrates");
    const outcome = { status: "failed", code: "migration-failed", message: "exited 1" } as const;
    const { ledger, begin, types, ran } = await open(
      ...begun,
      { type: "step-started", release: 1, step: stepId(step), what: step },
      { type: "step-settled", release: 1, step: stepId(step), outcome },
      // The process died here; meanwhile Git asks for another commit, which may not start.
      arrived(environment(C)) as EnvironmentEvent,
    );
    const ending = await begin(LIVE, ledger.memory(), { goesOn: true });
    expect(ending).toEqual({ how: "failed", step: stepId(step), code: "migration-failed", message: "exited 1" });
    expect(ran).toEqual(["verify"]);
    expect(await types()).toEqual(["release-failed"]);
  });
});
