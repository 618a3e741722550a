// The address of a service from outside, as if it had a load balancer: requests go round its healthy tasks.

import type { PublicEndpoint, SandboxRequest, SandboxResponse } from "../api.ts";
import type { Accounts } from "./account.ts";
import type { Place } from "./arns.ts";
import type { EcsService } from "./model.ts";
import type { Network } from "./network.ts";

export interface Endpoints {
  /** One for every service whose task definition maps a port. */
  current(): readonly PublicEndpoint[];
}

/** Names are `cluster/service` in the home account and region, `account/region/cluster/service` elsewhere. */
export function createEndpoints(accounts: Accounts, network: Network, home: Place): Endpoints {
  const turns = new WeakMap<EcsService, number>();

  async function answer(service: EcsService, request: SandboxRequest): Promise<SandboxResponse> {
    const ports = healthyPorts(service);
    const turn = (turns.get(service) ?? -1) + 1;
    turns.set(service, turn);
    const port = ports[turn % ports.length];
    if (port === undefined) return plain(503, "Service Temporarily Unavailable");
    try {
      return await network.forward(port, request);
    } catch (error) {
      return plain(502, `Bad Gateway: ${String(error)}`);
    }
  }

  return {
    current: () =>
      accounts
        .all()
        .flatMap(({ clusters }) => [...clusters.values()])
        .flatMap(({ services }) => [...services.values()])
        .filter((service) => service.status !== "INACTIVE" && mapsPort(service))
        .map((service) => ({
          kind: "service" as const,
          name: nameOf(service, home),
          aliases: [],
          answer: (request: SandboxRequest) => answer(service, request),
        })),
  };
}

function nameOf({ cluster, name, place }: EcsService, home: Place): string {
  const short = `${cluster.name}/${name}`;
  const isHome = place.account === home.account && place.region === home.region;
  return isHome ? short : `${place.account}/${place.region}/${short}`;
}

function mapsPort({ deployments }: EcsService): boolean {
  return deployments[0]?.revision.definition.containers.some(({ port }) => port !== undefined) === true;
}

/** Where healthy tasks listen; one that is asked to stop gets no new requests. */
function healthyPorts({ tasks }: EcsService): readonly number[] {
  return [...tasks]
    .filter(({ healthy, lastStatus }) => healthy && lastStatus === "RUNNING")
    .flatMap(({ containers }) => containers.find(({ port }) => port !== undefined)?.port ?? []);
}

function plain(status: number, message: string): SandboxResponse {
  return { status, headers: { "content-type": "text/plain" }, body: `${status} ${message}\n` };
}
