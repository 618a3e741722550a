// The whole engine: repositories say what should be, one lane per environment makes it so, triggers only say "look".
import type { Digest, EnvironmentName, Instant } from "../core/brand.ts";
import type { Environment, EnvironmentId } from "../core/environment.ts";
import { environmentId } from "../core/environment.ts";
import type { Event } from "../core/event.ts";
import { faultOf, faultValue } from "../core/fault.ts";
import type { Memory } from "../core/history.ts";
import type { EnvironmentStatus, StatusDocument } from "../core/status.ts";
import { inOrder, statusOf } from "../core/status.ts";
import type { Clock, Contains, Control, Journal, Random, ReadManifests, Source, World } from "../ports.ts";
import type { Arrival } from "./arrivals.ts";
import { arrive } from "./arrivals.ts";
import type { Bus } from "./bus.ts";
import { createControl } from "./control.ts";
import { identify } from "./identify.ts";
import type { Lane, Wish } from "./lane.ts";
import { createLane } from "./lane.ts";
import { createLedger } from "./ledger.ts";
import type { Repository } from "./repository.ts";
import { createRepository } from "./repository.ts";

export interface EngineParts {
  readonly sources: readonly Source[];
  readonly read: ReadManifests;
  readonly contains: Contains;
  readonly world: World;
  readonly journal: Journal;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  /** Which process this is, random per life. */
  readonly writer: string;
  readonly leaseTtlMs: number;
  readonly adopts: boolean;
  readonly observes: boolean;
}

export interface Engine extends AsyncDisposable {
  readonly control: Control;
  /** One pass: every repository, then every lane. Resolves when all lanes are quiet; a pass asked for meanwhile follows. */
  pass(): Promise<void>;
  /** Starts a pass unless one is under way, which then is followed by one more. Never throws. */
  look(): void;
  status(): StatusDocument;
  environment(id: EnvironmentId): EnvironmentStatus | undefined;
  memory(id: EnvironmentId): Memory | undefined;
  subscribe(listener: (event: Event) => void): Disposable;
}

export async function createEngine(parts: EngineParts): Promise<Engine> {
  const { journal, bus, clock, random, writer } = parts;
  const journalId = await identify(journal, { clock, random, writer });
  const lanes = new Map<EnvironmentId, Lane>();
  const owners = new Map<EnvironmentId, Repository>();
  const life = new AbortController();
  const repositories = parts.sources.map((source) => createRepository({ ...parts, source }));
  let reading: Promise<void> | undefined;
  let again = false;

  function laneOf(id: EnvironmentId): Lane {
    const known = lanes.get(id);
    if (known !== undefined) return known;
    const ledger = createLedger(id, parts);
    const surroundings = { neighbour: (name: EnvironmentName) => neighbour(id, name), pins: () => pins(id) };
    const lane = createLane({ ...parts, id, ledger, journalId, runners: parts.world.runners, surroundings });
    lanes.set(id, lane);
    return lane;
  }

  function neighbour(id: EnvironmentId, name: EnvironmentName): Memory | undefined {
    const other = lanes.get(`${id.slice(0, id.indexOf("/"))}/${name}`)?.ledger.memory();
    return other?.unmanaged === undefined ? other : undefined;
  }

  /** The first environment of an application in which a SHA became healthy fixes its digests. */
  function pins(id: EnvironmentId): ReadonlyMap<string, Digest> {
    const prefix = id.slice(0, id.indexOf("/") + 1);
    const fixed = new Map<string, { readonly digest: Digest; readonly at: Instant }>();
    for (const [other, lane] of lanes) {
      if (!other.startsWith(prefix)) continue;
      const { pins: known, healthy } = lane.ledger.memory();
      for (const [component, digest] of known) {
        const sha = component.slice(component.indexOf("@") + 1);
        const at = [...healthy].find(([one]) => one === sha)?.[1] ?? clock.now();
        const present = fixed.get(component);
        if (present === undefined || at < present.at) fixed.set(component, { digest, at });
      }
    }
    return new Map([...fixed].map(([component, { digest }]) => [component, digest]));
  }

  /** Environments that the journal knows and no manifest names any more. */
  async function knownIds(): Promise<readonly EnvironmentId[]> {
    const streams = await journal.streams();
    return streams.flatMap((stream) =>
      stream.startsWith("environment/") ? [stream.slice("environment/".length) as EnvironmentId] : [],
    );
  }

  async function readRepository(repository: Repository): Promise<void> {
    const basis = new Map([...lanes].map(([id, lane]) => [id, lane.ledger.memory().arrival]));
    const look = await repository.look(life.signal);
    if (look === undefined) return;
    for (const [id, wish] of look.wishes) {
      owners.set(id, repository);
      const lane = laneOf(id);
      const arrivals = look.arrivals.filter(({ environment }) => environmentId(environment) === id);
      const isLatest = await arrive(lane.ledger, arrivals, repository.source.id, basis.get(id));
      const desired = wish.desired ?? (await inForce(lane, repository));
      const arrival = lane.ledger.memory().arrival;
      if (
        isLatest &&
        desired !== undefined &&
        wish.problems.length === 0 &&
        arrival?.fingerprint !== desired.fingerprint
      ) {
        const here: Arrival = { environment: desired, commit: desired.revision.commit };
        await arrive(lane.ledger, [here], repository.source.id, arrival);
      }
      lane.wish({ ...wish, ...(desired === undefined ? {} : { desired }) });
    }
    for (const [id, lane] of lanes) {
      const owned = owners.get(id) === repository || lane.ledger.memory().arrival?.repository === repository.source.id;
      if (!owned || look.wishes.has(id)) continue;
      lane.wish(look.problems.length === 0 ? gone(id) : await hidden(lane, repository, look.problems));
    }
    await look.commit();
  }

  /** A manifest that cannot be read keeps the last good one in force: the one at which its fingerprint arrived. */
  async function inForce(lane: Lane, repository: Repository): Promise<Environment | undefined> {
    const arrival = (await lane.ledger.refresh()).arrival;
    if (arrival === undefined) return undefined;
    return repository.at(arrival.commit, lane.id, life.signal);
  }

  async function hidden(lane: Lane, repository: Repository, problems: readonly string[]): Promise<Wish> {
    const desired = await inForce(lane, repository);
    return { problems, ...(desired === undefined ? {} : { desired }) };
  }

  function gone(id: EnvironmentId): Wish {
    const name = id.slice(id.indexOf("/") + 1);
    return { problems: [], unmanaged: `environments/${name}.yaml, or the application.yaml beside it, is gone` };
  }

  async function readAll(): Promise<void> {
    for (const id of await knownIds()) {
      const lane = laneOf(id);
      await lane.ledger.refresh();
    }
    await Promise.all(repositories.map(readRepository));
  }

  /** Repositories first, once at a time; then every lane looks, each at its own pace. */
  async function pass(): Promise<void> {
    try {
      await readAll();
    } catch (thrown) {
      if (life.signal.aborted) return;
      const event = { type: "trouble", fault: faultValue(faultOf(thrown)), where: journal.address } as const;
      bus.publish({ durable: false, stream: "journal", at: clock.now(), event });
      return;
    }
    void Promise.all([...lanes.values()].map((lane) => lane.look())).catch(() => undefined);
  }

  function look(): void {
    if (life.signal.aborted) return;
    if (reading !== undefined) {
      again = true;
      return;
    }
    reading = (async () => {
      do {
        again = false;
        await pass();
      } while (again && !life.signal.aborted);
    })().finally(() => {
      reading = undefined;
    });
  }

  return {
    control: createControl({ lanes: () => lanes, repositories, look }),
    look,
    async pass() {
      look();
      await reading;
      await Promise.all([...lanes.values()].map((lane) => lane.settled()));
    },
    status: () => ({
      schema: "lockstep/v1",
      at: clock.now(),
      repositories: repositories.map((repository) => repository.state()),
      environments: inOrder([...lanes.values()].map((lane) => lane.glimpse())).map(statusOf),
    }),
    environment: (id) => {
      const lane = lanes.get(id);
      return lane === undefined ? undefined : statusOf(lane.glimpse());
    },
    memory: (id) => lanes.get(id)?.ledger.memory(),
    subscribe: (listener) => bus.subscribe(listener),
    async [Symbol.asyncDispose]() {
      life.abort();
      await reading;
      await Promise.all([...lanes.values()].map((lane) => lane.stop()));
    },
  };
}
