// One configuration repository: what its head says, where fingerprints arrived, and halting on heads that nobody may trust.
import type { Instant, Sha } from "../core/brand.ts";
import { short } from "../core/brand.ts";
import type { Environment, EnvironmentId } from "../core/environment.ts";
import type { Ephemeral, Nudge, Recorded, RepositoryEvent, Stream } from "../core/event.ts";
import { Fault, faultOf, faultValue } from "../core/fault.ts";
import type { FaultValue } from "../core/fault.ts";
import type { Clock, Journal, ManifestEntry, ReadManifests, Reading, Source } from "../ports.ts";
import type { Arrival } from "./arrivals.ts";
import { arrivalsBetween } from "./arrivals.ts";
import type { Bus } from "./bus.ts";
import type { Wish } from "./lane.ts";

export interface RepositoryState {
  readonly address: string;
  readonly branch: string;
  readonly head?: Sha;
  readonly readAt?: Instant;
  readonly halted?: string;
  readonly trouble?: string;
}

export interface Repository {
  readonly source: Source;
  state(): RepositoryState;
  /** Looks at the head. Undefined = it could not be read, and what was in force stays so. */
  look(signal: AbortSignal): Promise<RepositoryLook | undefined>;
  /** What one environment was at an earlier commit; undefined when it was not readable there either. */
  at(commit: Sha, id: EnvironmentId, signal: AbortSignal): Promise<Environment | undefined>;
  /** The head is taken as it is; only the head that halted the repository can be accepted. */
  accept(head: string, nudge: Nudge): Promise<boolean>;
}

export interface RepositoryLook {
  readonly wishes: ReadonlyMap<EnvironmentId, Wish>;
  /** Problems of whole folders: environments they hide are in force as they were. */
  readonly problems: readonly string[];
  /** In order; to be journaled per environment before `commit`. */
  readonly arrivals: readonly Arrival[];
  /** Journals the head as seen, once every arrival is. */
  commit(): Promise<void>;
}

export interface RepositoryParts {
  readonly source: Source;
  readonly read: ReadManifests;
  readonly journal: Journal;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly writer: string;
}

/** Readings kept: the one in force, the head's, and those on the way between. */
const READINGS_KEPT = 4;

export function createRepository(parts: RepositoryParts): Repository {
  const { source, journal, bus, clock, writer } = parts;
  const stream: Stream = `repository/${source.id}`;
  const readings = new Map<Sha, Reading>();
  let sequence = 0;
  let seen: Sha | undefined;
  let told: string | undefined;
  let state: RepositoryState = { address: source.address, branch: source.branch };
  let trouble: string | undefined;
  let invalid = "";

  const emit = (event: Ephemeral): void => bus.publish({ durable: false, stream, at: clock.now(), event });

  async function refresh(): Promise<void> {
    for await (const record of journal.read(stream, sequence + 1)) take(record);
  }

  function take(record: Recorded): void {
    sequence = record.sequence;
    if (record.event.type === "head-seen") seen = record.event.commit;
    if (record.event.type === "accepted") seen = record.event.head;
    if (record.event.type === "halted") told = record.event.to ?? "gone";
    bus.publish({ durable: true, stream, record });
  }

  async function append(event: RepositoryEvent): Promise<boolean> {
    try {
      take(await journal.append(stream, { at: clock.now(), writer, epoch: 0, event }, sequence));
      return true;
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "fenced") throw error;
      await refresh();
      return false;
    }
  }

  async function read(commit: Sha, signal: AbortSignal): Promise<Reading> {
    const known = readings.get(commit);
    if (known !== undefined) return known;
    const reading = await parts.read(source, commit, signal);
    readings.set(commit, reading);
    while (readings.size > READINGS_KEPT) {
      const oldest = [...readings.keys()].find((sha) => sha !== seen && sha !== commit);
      if (oldest === undefined) break;
      readings.delete(oldest);
    }
    return reading;
  }

  async function halt(to: Sha | undefined, reason: FaultValue, signal: AbortSignal): Promise<RepositoryLook> {
    const why = reason.message;
    const from = seen ?? to;
    if (from === undefined) throw new Fault("branch-missing", `${source.address} has no branch ${source.branch}`);
    // At first contact nothing is in force, so nothing is wished.
    const before = seen === undefined ? NOTHING_IN_FORCE : await read(from, signal);
    const after = to === undefined ? undefined : await read(to, signal);
    const halted = differing(before, after);
    if (told !== (to ?? "gone")) {
      const environments = [...halted];
      await append({ type: "halted", from, environments, why, ...(to === undefined ? {} : { to }) });
    }
    const { trouble: _, ...rest } = state;
    state = { ...rest, readAt: clock.now(), halted: why, ...(to === undefined ? {} : { head: to }) };
    const wishes = [...before.environments].map((entry): readonly [EnvironmentId, Wish] => [
      entry.id,
      { ...wishOf(entry, undefined), ...(halted.has(entry.id) ? { halted: reason } : {}) },
    ]);
    // What is known from the journal alone stays as it was, and says why.
    const problems = seen === undefined ? [why] : [];
    return { wishes: new Map(wishes), problems, arrivals: [], commit: () => Promise.resolve() };
  }

  /**
   * Why a new head is not followed: it lacks a signature that application.yaml asks for as it was in force, so that no
   * commit adds its own signer. At first contact nothing was, and the head is held to its own list.
   */
  async function distrust(head: Sha, signal: AbortSignal): Promise<string | undefined> {
    if (head === seen) return undefined;
    const asked = [...((await read(seen ?? head, signal)).signers ?? [])];
    for (const [file, signers] of asked) {
      // What could not be read when it came into force had asked for nothing before.
      if (signers === "unreadable") continue;
      const why = await source.distrust(head, signers, signal);
      if (why !== undefined) {
        return `${why}; ${file} lists who may sign (verify.commits); push a commit signed by one of them, or \`lockstep accept ${head}\` takes it`;
      }
    }
    if (asked.length === 0) return undefined;
    const now = (await read(head, signal)).signers;
    const lost = asked.find(([file, signers]) => signers !== "unreadable" && now?.get(file) === "unreadable")?.[0];
    if (lost === undefined) return undefined;
    return `${lost} cannot be read at ${short(head)}, so nobody knows who may sign what follows (verify.commits); correct it`;
  }

  async function follow(head: Sha, signal: AbortSignal): Promise<RepositoryLook> {
    const reading = await read(head, signal);
    const from = seen;
    const before = from === undefined ? undefined : await read(from, signal);
    const step = { older: from, newer: head };
    const arrivals = from === head ? [] : await arrivalsBetween(step, source, (commit) => read(commit, signal), signal);
    const { halted: _, trouble: __, ...rest } = state;
    state = { ...rest, head, readAt: clock.now() };
    sayProblems(reading.problems);
    const wishes = new Map<EnvironmentId, Wish>();
    for (const entry of reading.environments) {
      const inForce = entry.environment ?? before?.environments.find((one) => one.id === entry.id)?.environment;
      wishes.set(entry.id, wishOf(entry, inForce));
    }
    return {
      wishes,
      problems: reading.problems,
      arrivals,
      async commit() {
        if (seen !== head) await append({ type: "head-seen", commit: head });
      },
    };
  }

  /** Problems of whole folders belong to no environment: they are said here, once. */
  function sayProblems(problems: readonly string[]): void {
    const text = problems.join("\n");
    if (text !== "" && text !== invalid) emit({ type: "manifest-invalid", problems });
    invalid = text;
  }

  return {
    source,
    state: () => (trouble === undefined ? state : { ...state, trouble }),
    async look(signal) {
      try {
        await refresh();
        const looked = await lookAtHead(signal);
        if (trouble !== undefined) emit({ type: "trouble-cleared", where: source.address });
        trouble = undefined;
        return looked;
      } catch (thrown) {
        if (signal.aborted) return undefined;
        const fault = faultOf(thrown);
        if (trouble !== fault.message) emit({ type: "trouble", fault: faultValue(fault), where: source.address });
        trouble = fault.message;
        return undefined;
      }
    },
    async at(commit, id, signal) {
      const reading = await read(commit, signal);
      return reading.environments.find((entry) => entry.id === id)?.environment;
    },
    async accept(head, { actor, reason }) {
      await refresh();
      if (state.halted === undefined || state.head === undefined || !state.head.startsWith(head) || head.length < 7)
        return false;
      return append({ type: "accepted", head: state.head, actor, reason });
    },
  };

  async function lookAtHead(signal: AbortSignal): Promise<RepositoryLook> {
    let head: Sha;
    try {
      head = await source.head(signal);
    } catch (thrown) {
      const fault = faultOf(thrown);
      if (fault.code !== "branch-missing" || seen === undefined) throw thrown;
      const message = `branch ${source.branch} of ${source.address} is gone; it was at ${short(seen)}`;
      return halt(undefined, { code: "branch-missing", message }, signal);
    }
    if (seen !== undefined && seen !== head && !(await source.isAncestor(seen, head, signal))) {
      const unsigned = await distrust(head, signal);
      const also = unsigned === undefined ? "" : `; what is more, ${unsigned}`;
      const why = `history of ${source.branch} was rewritten: ${short(head)} does not contain ${short(seen)}; \`lockstep accept ${head}\` takes it${also}`;
      return halt(head, { code: "history-rewritten", message: why }, signal);
    }
    const why = await distrust(head, signal);
    return why === undefined ? follow(head, signal) : halt(head, { code: "head-unsigned", message: why }, signal);
  }
}

const NOTHING_IN_FORCE: Reading = { environments: [], problems: [] };

/** Environments whose files differ between two readings; all of them when there is no second one. */
function differing(before: Reading, after: Reading | undefined): ReadonlySet<EnvironmentId> {
  const contents = (reading: Reading | undefined): ReadonlyMap<EnvironmentId, string> =>
    new Map((reading?.environments ?? []).map((entry) => [entry.id, entry.content]));
  const [older, newer] = [contents(before), contents(after)];
  return new Set([...older.keys(), ...newer.keys()].filter((id) => older.get(id) !== newer.get(id)));
}

function wishOf(entry: ManifestEntry, inForce: Environment | undefined): Wish {
  const desired = entry.environment ?? inForce;
  return { problems: entry.problems, ...(desired === undefined ? {} : { desired }) };
}
