// The quotas and retentions of ECS the sandbox keeps.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html

export const TASK_DEFINITION_BYTES = 65_536;
export const CONTAINERS_PER_TASK_DEFINITION = 10;
export const TASKS_PER_RUN = 10;
export const OVERRIDES_LENGTH = 8192;
export const RUN_TOKEN_LENGTH = 64;
export const SERVICE_TOKEN_LENGTH = 36;
export const STARTED_BY_LENGTH = 128;
export const TAGS_PER_RESOURCE = 50;
export const DESCRIBED_TASKS = 100;
export const DESCRIBED_SERVICES = 10;
export const DESCRIBED_CLUSTERS = 100;
export const DESCRIBED_SERVICE_DEPLOYMENTS = 20;
export const EVENTS_PER_SERVICE = 100;

const HOUR_MS = 3_600_000;
/**
 * Retentions are compared with the clock's `now` and not divided by a speed: whoever plans around them keeps real time.
 */
export const STOPPED_TASK_VISIBLE_MS = HOUR_MS;
export const INACTIVE_SERVICE_VISIBLE_MS = HOUR_MS;
export const TOKEN_AFTER_STOP_MS = HOUR_MS;
export const TOKEN_LIMIT_MS = 24 * HOUR_MS;
