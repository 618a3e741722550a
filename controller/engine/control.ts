// What people may ask of the engine: each nudge is journaled with actor and reason, and then only looked at.
import type { EnvironmentId } from "../core/environment.ts";
import { Fault } from "../core/fault.ts";
import { migrationKey } from "../core/fingerprint.ts";
import type { Nudge } from "../core/event.ts";
import type { Control, Resolution } from "../ports.ts";
import type { Lane } from "./lane.ts";
import { abandon } from "./release.ts";
import type { Repository } from "./repository.ts";

export interface ControlParts {
  readonly lanes: () => ReadonlyMap<EnvironmentId, Lane>;
  readonly repositories: readonly Repository[];
  readonly look: () => void;
}

export function createControl({ lanes, repositories, look }: ControlParts): Control {
  async function laneOf(id: EnvironmentId): Promise<Lane> {
    const lane = lanes().get(id);
    if (lane === undefined) {
      const known = [...lanes().keys()].join(", ") || "none yet";
      throw new Fault("manifest-invalid", `there is no environment ${id}; this controller knows ${known}`);
    }
    await lane.ledger.refresh();
    return lane;
  }

  return {
    look,
    async retry(id, nudge) {
      const { ledger } = await laneOf(id);
      const fingerprint = ledger.memory().arrival?.fingerprint;
      if (fingerprint === undefined)
        throw new Fault("manifest-invalid", `${id} has nothing to retry: Git never asked for anything`);
      await ledger.append({ type: "retry-requested", fingerprint, ...nudge });
      look();
    },
    async repair(id, nudge) {
      const { ledger } = await laneOf(id);
      await ledger.append({ type: "repair-requested", ...nudge });
      look();
    },
    async adopt(id, nudge) {
      const { ledger } = await laneOf(id);
      await ledger.append({ type: "release-requested", ...nudge });
      look();
    },
    async resolve(id, how, nudge) {
      const lane = await laneOf(id);
      await (how.kind === "adopt" ? takeOver(lane, nudge) : settleMigration(lane, how, nudge));
      look();
    },
    async abort(id, nudge) {
      const lane = await laneOf(id);
      const open = lane.ledger.memory().open;
      if (open === undefined) throw new Fault("aborted", `${id} has no running release to abort`);
      const what = `${id}: release #${open.number}`;
      const elsewhere = new Fault("fenced", `${what} is run by another controller; ask that one`);
      if (!lane.ledger.holds() && !lane.ledger.isAbandoned()) throw elsewhere;
      await lane.ledger.append({ type: "abort-requested", release: open.number, ...nudge });
      // A release that is blocked is open and runs nowhere: it is ended here.
      const ended = lane.abort() ? "ended" : await abandon(lane.ledger);
      if (ended === "held") throw elsewhere;
      if (ended === "migrating") {
        look();
        throw new Fault(
          "migration-unknown",
          `${what} has started a migration; abort it once that is known to have ended`,
        );
      }
      look();
    },
    async accept(head, nudge) {
      for (const repository of repositories) {
        if (await repository.accept(head, nudge)) return look();
      }
      const halted = repositories.map((one) => one.state()).filter((one) => one.halted !== undefined);
      const heads = halted.map((one) => `${one.address} at ${one.head ?? "no head"}`).join(", ");
      throw new Fault(
        "history-rewritten",
        heads === "" ? "no repository is halted" : `no repository is halted at ${head}; halted: ${heads}`,
      );
    },
  };
}

/** What runs is taken over as it is, whoever released it. */
async function takeOver(lane: Lane, by: Nudge): Promise<void> {
  const event = lane.adoptAsIs(by);
  if (event === undefined)
    throw new Fault("journal-foreign", `${lane.id}: what runs could not be read, so it cannot be taken over yet`);
  await lane.ledger.append(event);
}

async function settleMigration(
  lane: Lane,
  how: Extract<Resolution, { kind: "migration" }>,
  nudge: Nudge,
): Promise<void> {
  const { desired, memory } = lane.glimpse();
  const open = (desired?.migrations ?? []).filter(
    (migration) => how.migration === undefined || migration.name === how.migration,
  );
  const unknown = open.filter((migration) => {
    if (desired === undefined) return false;
    const state = memory.migrations.get(migrationKey(desired, migration))?.state;
    return state === "unknown" || state === "failed";
  });
  const migration = unknown[0];
  if (migration === undefined || desired === undefined) {
    throw new Fault(
      "migration-unknown",
      `${lane.id} has no migration whose outcome is open${how.migration === undefined ? "" : ` under the name ${how.migration}`}`,
    );
  }
  if (unknown.length > 1) {
    const names = unknown.map(({ name }) => name).join(", ");
    throw new Fault(
      "migration-unknown",
      `${lane.id} has several migrations whose outcome is open (${names}): name one with --name`,
    );
  }
  await lane.ledger.append({
    type: "resolved",
    migration: migration.name,
    key: migrationKey(desired, migration),
    outcome: how.outcome,
    ...nudge,
  });
}
