// The command line of the sandbox: its options, its help, and what it says when it is ready.

import { parseArgs } from "node:util";
import type { EndpointUrls } from "./http.ts";
import { SANDBOX_CREDENTIALS } from "./identities.ts";
import { DEFAULT_ACCOUNT, DEFAULT_REGION } from "./sandbox.ts";

export interface Options {
  readonly help: boolean;
  readonly port: number;
  readonly speed: number;
  readonly seed: boolean;
  readonly runner: "process" | "script";
  readonly throttling: boolean;
  readonly account: string;
  readonly region: string;
}

export const HELP = `sandbox — an AWS account on this machine: ECS, ECR, S3, CloudFront, CloudWatch Logs, STS

Usage: npm run sandbox -- [options]

  --port <n>            where to listen on 127.0.0.1; 0 lets the system pick (4700)
  --speed <n>           divides the sandbox's own delays (1)
  --no-seed             start with an empty account instead of a small shop in dev, staging and prod
  --runner <kind>       process: tasks are child processes; script: tasks only pretend to run (process)
  --throttling          throttle by the published token buckets
  --account <number>    the account of the default key (${DEFAULT_ACCOUNT})
  --region <name>       where the seed goes (${DEFAULT_REGION})
  --help

When its output is no terminal it prints one line of JSON as soon as it is ready. SIGTERM ends it and every task.
`;

/** Fault: a RangeError or TypeError that says what is wrong with the arguments. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      help: { type: "boolean", default: false },
      port: { type: "string", default: "4700" },
      speed: { type: "string", default: "1" },
      seed: { type: "boolean", default: true },
      runner: { type: "string", default: "process" },
      throttling: { type: "boolean", default: false },
      account: { type: "string", default: DEFAULT_ACCOUNT },
      region: { type: "string", default: DEFAULT_REGION },
    },
  });
  const { help, seed, runner, throttling, account, region } = values;
  const port = Number(values.port);
  const speed = Number(values.speed);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`--port: 0 to 65535, not ${values.port}`);
  if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`--speed: a positive number, not ${values.speed}`);
  if (runner !== "process" && runner !== "script") throw new RangeError(`--runner: process or script, not ${runner}`);
  if (!/^\d{12}$/.test(account)) throw new RangeError(`--account: twelve digits, not ${account}`);
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region))
    throw new RangeError(`--region: such as ${DEFAULT_REGION}, not ${region}`);
  return { help, port, speed, seed, runner, throttling, account, region };
}

/** The one line a program waits for. */
export function readyLine(endpoints: EndpointUrls, { account, region }: Options): string {
  const control = `${endpoints.aws}/_sandbox`;
  return `${JSON.stringify({ url: endpoints.aws, control, account, region, ...SANDBOX_CREDENTIALS, endpoints })}\n`;
}

/** The same for a person. */
export function readyText(endpoints: EndpointUrls, { account, region, seed }: Options): string {
  const { accessKeyId, secretAccessKey } = SANDBOX_CREDENTIALS;
  const places = [
    ...Object.entries(endpoints.services).map(([name, url]) => `  ${name.padEnd(24)} ${url}`),
    ...Object.values(endpoints.distributions).map(({ aliases, url }) => `  ${aliases.join(" ").padEnd(24)} ${url}`),
  ];
  return `An AWS account (${account}, ${region}) is ready at ${endpoints.aws}

  export AWS_ENDPOINT_URL=${endpoints.aws} AWS_REGION=${region} AWS_DEFAULT_REGION=${region}
  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey}
  aws ${seed ? "ecs describe-services --cluster dev --services api" : "ecs create-cluster --cluster-name dev"}
${places.length === 0 ? "" : `\n${places.join("\n")}\n`}
Endpoints, faults, call log: ${endpoints.aws}/_sandbox/endpoints, /faults, /log — see sandbox/README.md
Ctrl-C ends it and every task.
`;
}
