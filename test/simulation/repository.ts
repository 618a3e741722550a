// The configuration repository as a model: a history of manifest trees, a head that people may move as they like.
import type { EnvironmentName } from "../../controller/core/brand.ts";
import { ApplicationName, Instant, MigrationName, ServiceName, Sha, WebName } from "../../controller/core/brand.ts";
import type { Environment, EnvironmentId, Service } from "../../controller/core/environment.ts";
import { digestOf, fingerprint } from "../../controller/core/fingerprint.ts";
import { Fault } from "../../controller/core/fault.ts";
import { sha256 } from "../../controller/core/sha256.ts";
import type { Contains, ManifestEntry, ReadManifests, Reading, Source } from "../../controller/ports.ts";
import type { Builds } from "./builds.ts";
import type { Life } from "./life.ts";

export const REPOSITORY = "5eed5eed5eed5eed";

/** One `environments/<name>.yaml`. */
export interface Spec {
  readonly sha: Sha;
  readonly hold?: { readonly reason: string; readonly untilMs?: number };
  readonly count?: number;
  readonly drift: Environment["drift"];
  readonly onFailure: Environment["onFailure"];
  /** Changes nothing that is released. */
  readonly notify: number;
  readonly broken?: true;
}

/** What one commit holds. */
export interface Tree {
  readonly specs: ReadonlyMap<EnvironmentName, Spec>;
  /** `pipeline:` of application.yaml: each environment is promoted from the one before. */
  readonly pipeline: boolean;
  /** application.yaml does not parse. */
  readonly broken?: true;
}

export interface Shape {
  readonly environments: readonly EnvironmentName[];
  readonly services: readonly string[];
  readonly migrations: readonly string[];
  readonly webs: readonly string[];
}

interface Commit {
  readonly sha: Sha;
  readonly parent?: Sha;
  readonly depth: number;
  readonly tree: Tree;
}

export interface Repository {
  /** Undefined = the branch is gone. */
  head(): Sha | undefined;
  tree(commit: Sha): Tree;
  parent(commit: Sha): Sha | undefined;
  /** Adds a commit on top of `onto` (the head), and moves the branch there. */
  push(tree: Tree, onto?: Sha): Sha;
  move(head: Sha | undefined): void;
  isAncestor(older: Sha, newer: Sha): boolean;
  reading(commit: Sha): Reading;
}

export function createRepositoryModel(shape: Shape): Repository {
  const commits = new Map<Sha, Commit>();
  const readings = new Map<Sha, Reading>();
  let head: Sha | undefined;

  function commit(sha: Sha): Commit {
    const found = commits.get(sha);
    if (found === undefined) throw new Fault("repository-unreachable", `no commit ${sha}`);
    return found;
  }

  return {
    head: () => head,
    tree: (sha) => commit(sha).tree,
    parent: (sha) => commit(sha).parent,
    push(tree, onto = head) {
      const sha = Sha.parse(sha256(`config ${commits.size}`).slice(0, 40));
      const depth = onto === undefined ? 0 : commit(onto).depth + 1;
      commits.set(sha, { sha, depth, tree, ...(onto === undefined ? {} : { parent: onto }) });
      head = sha;
      return sha;
    },
    move(to) {
      head = to;
    },
    isAncestor(older, newer) {
      const goal = commit(older).depth;
      let at = commit(newer);
      while (at.depth > goal && at.parent !== undefined) at = commit(at.parent);
      return at.sha === older;
    },
    reading(sha) {
      const known = readings.get(sha) ?? read(commit(sha), shape);
      readings.set(sha, known);
      return known;
    },
  };
}

function read({ sha, tree }: Commit, shape: Shape): Reading {
  if (tree.broken === true) {
    return { environments: [], problems: ["environments/application.yaml:1:1 is not YAML"] };
  }
  const environments = [...tree.specs].map(([name, spec]): ManifestEntry => {
    const id: EnvironmentId = `shop/${name}`;
    const content = digestOf({ ...spec, pipeline: tree.pipeline });
    if (spec.broken === true) return { id, content, problems: [`environments/${name}.yaml:1:1 is not YAML`] };
    return { id, content, environment: environmentOf(name, spec, tree, sha, shape), problems: [] };
  });
  return { environments, problems: [] };
}

const HEALTH = { url: "https://shop.example/health", forMs: 10_000, timeoutMs: 120_000 } as const;

function environmentOf(name: EnvironmentName, spec: Spec, tree: Tree, commit: Sha, shape: Shape): Environment {
  const { sha, hold } = spec;
  const image = (of: string): Service["image"] => ({
    registry: "registry",
    repository: `shop/${of}`,
    tag: `sha-${sha}`,
  });
  const previous = shape.environments[shape.environments.indexOf(name) - 1];
  const unsigned = {
    application: ApplicationName.parse("shop"),
    name,
    revision: { repository: REPOSITORY, commit, folder: "" },
    sha,
    place: { region: "eu-west-1", cluster: name },
    parallel: 4,
    services: shape.services.map((service, index): Service => ({
      name: ServiceName.parse(service),
      sha,
      image: image(service),
      task: { kind: "adopted" },
      after: index === 1 ? [ServiceName.parse(shape.services[0] ?? "")] : [],
      timeoutMs: 600_000,
      strategy: { kind: "rolling" },
      paths: [],
      health: HEALTH,
      ...(spec.count === undefined ? {} : { count: spec.count }),
    })),
    migrations: shape.migrations.map((migration) => ({
      name: MigrationName.parse(migration),
      service: ServiceName.parse(shape.services[0] ?? ""),
      sha,
      image: image(migration),
      command: ["migrate"],
      timeoutMs: 200_000,
    })),
    webs: shape.webs.map((web) => ({
      name: WebName.parse(web),
      sha,
      artifact: `s3://artifacts/${web}/${sha}/`,
      bucket: `shop-${name}-${web}`,
      prefix: "",
      keep: 3,
      ...(web === "site" ? { domain: `${name}.shop.example` } : {}),
    })),
    gates: { promotedFrom: tree.pipeline && previous !== undefined ? [previous] : [] },
    drift: spec.drift,
    onFailure: spec.onFailure,
    ...(hold === undefined
      ? {}
      : { hold: { reason: hold.reason, ...(hold.untilMs === undefined ? {} : { until: Instant.of(hold.untilMs) }) } }),
  };
  return { ...unsigned, fingerprint: fingerprint(unsigned), shared: digestOf(shape) };
}

/** The repository as one life reaches it. `onHead` hears what it was told. */
export function sourceOf(life: Life, repository: Repository, onHead: (head: Sha | undefined) => void): Source {
  return {
    id: REPOSITORY,
    address: "model:shop",
    branch: "main",
    head: () =>
      life.read("head", () => {
        const head = repository.head();
        onHead(head);
        if (head === undefined) throw new Fault("branch-missing", "the branch main is gone");
        return head;
      }),
    isAncestor: (older, newer) => life.read("is-ancestor", () => repository.isAncestor(older, newer)),
    distrust: async () => undefined,
    changes: (older, newer, _paths, limit) =>
      life.read("changes", () => {
        const found: Sha[] = [];
        for (let at: Sha | undefined = newer; at !== undefined && at !== older; at = repository.parent(at)) {
          found.unshift(at);
        }
        return found.slice(0, limit);
      }),
    folders: () => Promise.reject(new Error("manifests are read by the model")),
    files: () => Promise.reject(new Error("manifests are read by the model")),
    expand: () => Promise.reject(new Error("manifests are read by the model")),
  };
}

export function readerOf(life: Life, repository: Repository): ReadManifests {
  return (_source, commit) => life.read("read-manifests", () => repository.reading(commit));
}

export function containsOf(life: Life, builds: Builds): Contains {
  return (_environment, older, newer) =>
    life.read("contains", () => {
      const [one, other] = [builds.commit(older), builds.commit(newer)];
      return one === undefined || other === undefined ? undefined : one.index <= other.index;
    });
}
