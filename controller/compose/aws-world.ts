// AWS as one world: the clients of one process, and every target over them.
import type { AwsCredentialIdentity } from "@smithy/types";
import type { Clock, Random, World } from "../ports.ts";
import { createImages } from "../targets/artifacts.ts";
import type { Aws } from "../targets/aws.ts";
import { createAws } from "../targets/aws.ts";
import { createEcs } from "../targets/ecs/ecs.ts";
import { createProbe } from "../targets/probe.ts";
import { createWeb } from "../targets/web/web.ts";
import { createWorld } from "./world.ts";

export interface AwsWorld {
  readonly world: World;
  readonly aws: Aws;
}

export interface AwsWorldParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly writer: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Instead of the SDK's own chain: the demo's, so that it never meets a real account. */
  readonly credentials?: AwsCredentialIdentity;
}

export function openAwsWorld({ clock, random, writer, env, credentials }: AwsWorldParts): AwsWorld {
  const endpoint = env["AWS_ENDPOINT_URL"];
  const aws = createAws({
    clock,
    random,
    writerId: writer,
    ...(endpoint === undefined || endpoint === "" ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const ecs = createEcs({ aws, clock });
  const probe = createProbe({ clock });
  const world = createWorld({
    clock,
    services: { ...ecs, observe: ecs.observe },
    images: createImages(aws),
    webs: createWeb({ aws }),
    health: probe,
  });
  return { world, aws };
}
