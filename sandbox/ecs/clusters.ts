// Clusters: creating, describing, listing and deleting them.

import { AwsError, type Caller } from "../api.ts";
import { type Input, page, text, texts, wholeNumber } from "../members.ts";
import type { Accounts } from "./account.ts";
import { ecsArn, shortName } from "./arns.ts";
import { invalid } from "./errors.ts";
import { DESCRIBED_CLUSTERS } from "./limits.ts";
import type { Cluster } from "./model.ts";
import { readTags } from "./tags.ts";

export function createCluster(accounts: Accounts, input: Input, caller: Caller): unknown {
  const name = text(input, "clusterName") ?? "default";
  if (!/^[a-zA-Z0-9_-]{1,255}$/.test(name))
    throw invalid("Cluster name must be up to 255 letters, numbers, underscores, and hyphens.");
  const { clusters, place } = accounts.region(caller);
  const known = clusters.get(name);
  if (known !== undefined && known.status === "ACTIVE") return { cluster: clusterView(known, ["TAGS", "SETTINGS"]) };
  const { clusterName: _name, tags: _tags, ...settings } = input;
  const cluster: Cluster = {
    place,
    name,
    arn: ecsArn(place, `cluster/${name}`),
    status: "ACTIVE",
    settings,
    tags: readTags(input),
    services: new Map(),
    tasks: new Map(),
    tokens: new Map(),
  };
  clusters.set(name, cluster);
  return { cluster: clusterView(cluster, ["TAGS", "SETTINGS"]) };
}

/** A missing cluster is a failure inside a good answer, not an error. */
export function describeClusters(accounts: Accounts, input: Input, caller: Caller): unknown {
  const names = texts(input, "clusters") ?? ["default"];
  if (names.length > DESCRIBED_CLUSTERS)
    throw invalid(`Clusters can not have more than ${DESCRIBED_CLUSTERS} elements.`);
  const { clusters, place } = accounts.region(caller);
  const found = names.map((reference) => {
    const name = shortName(reference, "cluster", caller);
    return { cluster: clusters.get(name), arn: ecsArn(place, `cluster/${name}`) };
  });
  const include = texts(input, "include") ?? [];
  return {
    clusters: found.flatMap(({ cluster }) => (cluster === undefined ? [] : [clusterView(cluster, include)])),
    failures: found.flatMap(({ cluster, arn }) => (cluster === undefined ? [{ arn, reason: "MISSING" }] : [])),
  };
}

export function listClusters(accounts: Accounts, input: Input, caller: Caller): unknown {
  const limit = wholeNumber(input, "maxResults", { least: 1, most: 100, otherwise: 100 });
  const active = [...accounts.region(caller).clusters.values()].filter(({ status }) => status === "ACTIVE");
  const { items, nextToken } = page(active, text(input, "nextToken"), limit);
  return { clusterArns: items.map(({ arn }) => arn), nextToken };
}

export function deleteCluster(accounts: Accounts, input: Input, caller: Caller): unknown {
  const cluster = accounts.cluster(caller, input);
  if ([...cluster.services.values()].some(({ status }) => status !== "INACTIVE"))
    throw new AwsError("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.");
  if ([...cluster.tasks.values()].some(({ lastStatus }) => lastStatus !== "STOPPED"))
    throw new AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.");
  cluster.status = "INACTIVE";
  return { cluster: clusterView(cluster, []) };
}

function clusterView(cluster: Cluster, include: readonly string[]): unknown {
  const tasks = [...cluster.tasks.values()];
  const { settings, configuration, ...others } = cluster.settings;
  return {
    clusterArn: cluster.arn,
    clusterName: cluster.name,
    status: cluster.status,
    registeredContainerInstancesCount: 0,
    runningTasksCount: tasks.filter(({ lastStatus }) => lastStatus === "RUNNING").length,
    pendingTasksCount: tasks.filter(({ lastStatus }) => /^(PROVISIONING|PENDING|ACTIVATING)$/.test(lastStatus)).length,
    activeServicesCount: [...cluster.services.values()].filter(({ status }) => status === "ACTIVE").length,
    statistics: [],
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
    ...others,
    tags: include.includes("TAGS") ? cluster.tags : [],
    settings: include.includes("SETTINGS") ? (settings ?? [{ name: "containerInsights", value: "disabled" }]) : [],
    ...(include.includes("CONFIGURATIONS") ? { configuration } : {}),
  };
}
