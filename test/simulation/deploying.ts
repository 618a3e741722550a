// The deploy runner of the model: the protocol of release.md ("Deploy") over a modelled cluster.
import type { Digest, TargetVersion } from "../../controller/core/brand.ts";
import type { Mark, Outcome } from "../../controller/core/event.ts";
import { Fault } from "../../controller/core/fault.ts";
import type { StepOf } from "../../controller/core/step.ts";
import type { Context, Runner, Turn } from "../../controller/ports.ts";
import type { Cluster, Deployment } from "./cluster.ts";
import type { Life } from "./life.ts";

const POLL_MS = 5_000;

export function deployRunner(life: Life, clusterOf: (turn: Turn) => Cluster): Runner<"deploy"> {
  return async (step, turn, context) => {
    const cluster = clusterOf(turn);
    const service = turn.environment.services.find(({ name }) => name === step.service);
    if (service === undefined) throw new Error(`no service ${step.service}`);
    const known = turn.memory.intents.get(step.service);
    const mine = known?.release === turn.release.number ? known : undefined;
    const version = service.recorded?.version ?? mine?.version ?? (await register(step, turn, context));
    const wanted = service.count ?? service.recorded?.restore?.count;
    if (mine !== undefined && mine.version === version) {
      const since = await deploymentsSince(cluster, step, mine.before.deployment);
      const newest = since.find((one) => one.version === version);
      if (newest !== undefined) {
        if (!mine.accepted) await accept(step, turn, context, version, newest.id);
        return watch(cluster, step, context, newest.id);
      }
    }
    const view = await life.read("describe-services", () => cluster.view(step.service));
    const before = mine?.before ?? {
      version: view.primary.version,
      deployment: view.primary.id,
      ...(wanted === undefined ? {} : { count: view.count }),
    };
    const { key, settings, service: name } = step;
    const release = turn.release.number;
    await context.record({ type: "deploy-intended", release, service: name, version, key, settings, before });
    context.guard();
    const id = await life.write("update-service", () =>
      cluster.update(name, { version, ...(wanted === undefined ? {} : { count: wanted }) }),
    );
    await accept(step, turn, context, version, id);
    return watch(cluster, step, context, id);
  };

  async function register(step: StepOf<"deploy">, turn: Turn, context: Context): Promise<TargetVersion> {
    const digest: Digest | undefined = step.image;
    if (digest === undefined) throw new Error("a deploy step without image and without recorded version");
    context.guard();
    const { journal, id } = turn.release;
    const tag = { journal, release: id, sha: turn.environment.sha };
    const content = { key: step.key, digest };
    const made = await life.write("register-version", () => clusterOf(turn).register(step.service, content, tag));
    return made.arn;
  }

  async function accept(
    step: StepOf<"deploy">,
    turn: Turn,
    context: Context,
    version: TargetVersion,
    deployment: string,
  ): Promise<void> {
    const mark: Mark = {
      type: "deploy-accepted",
      release: turn.release.number,
      service: step.service,
      version,
      deployment,
    };
    await context.record(mark);
  }

  function deploymentsSince(
    cluster: Cluster,
    step: StepOf<"deploy">,
    before: string | undefined,
  ): Promise<readonly Deployment[]> {
    return life.read("list-deployments", () => {
      const { deployments } = cluster.view(step.service);
      const last = deployments.findIndex(({ id }) => id === before);
      return last === -1 ? deployments : deployments.slice(0, last);
    });
  }

  /** Terminal states only: anything else is waited for. */
  async function watch(cluster: Cluster, step: StepOf<"deploy">, context: Context, id: string): Promise<Outcome> {
    for (;;) {
      const deployments = await life.read("describe-services", () => cluster.view(step.service).deployments);
      const ours = deployments.find((one) => one.id === id);
      if (ours === undefined) throw new Fault("unavailable", `deployment ${id} is not listed`);
      if (ours.state === "SUCCESSFUL") return { status: "done" };
      if (ours.state === "ROLLBACK_SUCCESSFUL") {
        return { status: "failed", code: "deployment-failed", message: `${step.service}: ECS rolled back` };
      }
      if (ours.state === "STOPPED") {
        return { status: "failed", code: "deployment-replaced", message: `${step.service}: somebody else deployed` };
      }
      await context.clock.sleep(POLL_MS, context.signal);
    }
  }
}
