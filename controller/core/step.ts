// What a release does: the steps, their order in both directions, and the waves they run in.
import type { ComponentName, Digest, MigrationName, ServiceName, TargetVersion, WebName } from "./brand.ts";

export type Direction = "forward" | "back";

export type Step =
  | {
      readonly kind: "verify";
      readonly artifacts: readonly { readonly component: ComponentName; readonly digest: Digest }[];
      readonly why: string;
    }
  | {
      readonly kind: "migrate";
      readonly migration: MigrationName;
      /** (application, environment, migration, SHA of the image) hashed: what must never pass twice. */
      readonly key: Digest;
      readonly image: Digest;
      readonly why: string;
    }
  | { readonly kind: "stage"; readonly web: WebName; readonly digest: Digest; readonly why: string }
  | {
      readonly kind: "deploy";
      readonly service: ServiceName;
      readonly from: TargetVersion;
      /** Digest to put in place; undefined when a recorded version is put back. */
      readonly image?: Digest;
      readonly key: Digest;
      readonly settings: Digest;
      readonly changes: readonly ServiceField[];
      readonly why: string;
    }
  | { readonly kind: "publish"; readonly web: WebName; readonly digest: Digest; readonly why: string }
  | { readonly kind: "invalidate"; readonly web: WebName; readonly why: string }
  | { readonly kind: "health"; readonly fingerprint: Digest; readonly why: string }
  | { readonly kind: "prune"; readonly web: WebName; readonly why: string };

export type StepKind = Step["kind"];
export type StepOf<Kind extends StepKind> = Extract<Step, { readonly kind: Kind }>;
export type ServiceField = "version" | "count" | "settings";
/** `deploy/api`, `publish/site`, `health`: unique in a plan. */
export type StepId = string;

/** Equal ranks run together. Going back, the page moves before the API, so that a new page never meets an old API. */
export const RANK: { readonly [D in Direction]: { readonly [K in StepKind]: number } } = {
  forward: { verify: 1, migrate: 2, stage: 3, deploy: 4, publish: 5, invalidate: 6, health: 7, prune: 8 },
  back: { verify: 1, migrate: 2, stage: 3, publish: 4, invalidate: 5, deploy: 6, health: 7, prune: 8 },
};

/** Steps that change what users see or what the database holds. */
export const WRITES: { readonly [K in StepKind]: boolean } = {
  verify: false,
  migrate: true,
  stage: true,
  deploy: true,
  publish: true,
  invalidate: true,
  health: false,
  prune: true,
};

/**
 * Whether a newer revision may end the step while it runs. A migration, a publication and an invalidation run to their
 * end; a deployment is left where it is (the newer release replaces it).
 */
export const INTERRUPTIBLE: { readonly [K in StepKind]: boolean } = {
  verify: true,
  migrate: false,
  stage: true,
  deploy: true,
  publish: false,
  invalidate: false,
  health: true,
  prune: true,
};

/** The component a step is about, in the words of a manifest; undefined for the whole environment. */
export function subject(step: Step): string | undefined {
  switch (step.kind) {
    case "verify":
    case "health":
      return undefined;
    case "migrate":
      return step.migration;
    case "deploy":
      return step.service;
    case "stage":
    case "publish":
    case "invalidate":
    case "prune":
      return step.web;
  }
}

export function stepId(step: Step): StepId {
  const about = subject(step);
  return about === undefined ? step.kind : `${step.kind}/${about}`;
}

/** Steps grouped by rank, in order; several migrations stand alone each, in the order of the manifest. */
export function waves(steps: readonly Step[], direction: Direction): readonly (readonly Step[])[] {
  const ranks = [...new Set(steps.map((step) => RANK[direction][step.kind]))].sort((a, b) => a - b);
  return ranks.flatMap((rank) => {
    const wave = steps.filter((step) => RANK[direction][step.kind] === rank);
    return wave[0]?.kind === "migrate" ? wave.map((step) => [step]) : [wave];
  });
}
