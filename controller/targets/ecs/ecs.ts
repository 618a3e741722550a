// The ECS target: what runs, and the two runners that change it.
import type { Clock, Runner } from "../../ports.ts";
import type { Aws } from "../aws.ts";
import { createDeploy } from "./deploy.ts";
import { createServiceDeployments } from "./deployments.ts";
import { createServiceReader } from "./describe.ts";
import { createDiagnose } from "./diagnosis.ts";
import { familyOf } from "./family.ts";
import { createLogs } from "./logs.ts";
import { createMigrate } from "./migration.ts";
import type { Observe } from "./observe.ts";
import { createObserve } from "./observe.ts";
import { createRevisions } from "./revisions.ts";
import { createTasks } from "./tasks.ts";
import { createWait } from "./wait.ts";

export interface Ecs {
  /** Every service of the environment; what cannot be read is `unknown` with its fault. Rejects only when aborted. */
  readonly observe: Observe;
  readonly runners: { readonly deploy: Runner<"deploy">; readonly migrate: Runner<"migrate"> };
  /** The family of a task-definition ARN. */
  readonly family: (version: string) => string;
}

export function createEcs({ aws, clock }: { readonly aws: Aws; readonly clock: Clock }): Ecs {
  const reader = createServiceReader(aws, clock);
  const revisions = createRevisions(aws, clock);
  const deployments = createServiceDeployments(aws);
  const tasks = createTasks(aws);
  const logs = createLogs(aws, clock);
  const diagnose = createDiagnose({ tasks, logs, revisions });
  const wait = createWait({ aws, reader, deployments, tasks, diagnose });
  return {
    observe: createObserve({ aws, reader, revisions, deployments }),
    runners: {
      deploy: createDeploy({ aws, reader, revisions, deployments, wait }),
      migrate: createMigrate({ aws, reader, revisions, tasks, logs }),
    },
    family: familyOf,
  };
}
