// Task definitions: registering, describing, listing and deregistering revisions.

import type { Caller, Chance, SandboxClock } from "../api.ts";
import { type Input, page, records, requiredText, text, texts, wholeNumber } from "../members.ts";
import { seconds } from "../wire.ts";
import { type Accounts, findTaskDefinition } from "./account.ts";
import { ecsArn, shortName } from "./arns.ts";
import { readContainer } from "./container-definitions.ts";
import { invalid, refused } from "./errors.ts";
import type { TaskDefinition } from "./model.ts";
import { readTags } from "./tags.ts";
import { checkNetworkMode, taskDefinitionContent } from "./task-definition-content.ts";

export interface TaskDefinitionDependencies {
  readonly accounts: Accounts;
  readonly clock: SandboxClock;
  readonly chance: Chance;
}

type Operation = (input: Input, caller: Caller) => unknown;

export function createTaskDefinitions(dependencies: TaskDefinitionDependencies): Readonly<Record<string, Operation>> {
  const { accounts, clock, chance } = dependencies;

  /** Always a new revision, even of equal content; a deregistered number never comes again. */
  function register(input: Input, caller: Caller): unknown {
    checkNetworkMode(input);
    const tags = readTags(input, { mayBeEmpty: false });
    const content = taskDefinitionContent(input);
    const region = accounts.region(caller);
    const family = requiredText(content, "family");
    const revisions = region.families.get(family) ?? [];
    const revision = revisions.length + 1;
    const definition: TaskDefinition = {
      place: region.place,
      arn: ecsArn(region.place, `task-definition/${family}:${revision}`),
      family,
      revision,
      status: "ACTIVE",
      registeredAtMs: clock.now(),
      registeredBy: caller.arn,
      deregisteredAtMs: undefined,
      content,
      containers: (records(content, "containerDefinitions") ?? []).map(readContainer),
      tags,
    };
    revisions.push(definition);
    region.families.set(family, revisions);
    return described(definition, ["TAGS"]);
  }

  function describe(input: Input, caller: Caller): unknown {
    const definition = findTaskDefinition(accounts.region(caller), requiredText(input, "taskDefinition"));
    if (definition === undefined) throw refused("Unable to describe task definition.");
    return described(definition, texts(input, "include") ?? []);
  }

  function deregister(input: Input, caller: Caller): unknown {
    const reference = requiredText(input, "taskDefinition");
    if (!/:\d+$/.test(shortName(reference, "task-definition", caller)))
      throw invalid(`Invalid revision number. Number: ${shortName(reference, "task-definition", caller)}`);
    const definition = findTaskDefinition(accounts.region(caller), reference);
    if (definition === undefined) throw refused("The specified task definition does not exist.");
    if (definition.status === "INACTIVE") throw invalid("The specified task definition is inactive.");
    definition.status = "INACTIVE";
    definition.deregisteredAtMs = clock.now();
    return described(definition, []);
  }

  function described(definition: TaskDefinition, include: readonly string[]): unknown {
    const tags = include.includes("TAGS") ? { tags: definition.tags } : {};
    return { taskDefinition: taskDefinitionView(definition, chance), ...tags };
  }

  function list(input: Input, caller: Caller): unknown {
    const prefix = text(input, "familyPrefix");
    const status = text(input, "status") ?? "ACTIVE";
    const limit = wholeNumber(input, "maxResults", { least: 1, most: 100, otherwise: 100 });
    const { families } = accounts.region(caller);
    // familyPrefix is the full family name, in spite of what it is called.
    const names = [...families.keys()].filter((family) => prefix === undefined || family === prefix).sort();
    const arns = names.flatMap((family) =>
      (families.get(family) ?? []).filter((definition) => definition.status === status).map(({ arn }) => arn),
    );
    if (text(input, "sort") === "DESC") arns.reverse();
    const { items, nextToken } = page(arns, text(input, "nextToken"), limit);
    return { taskDefinitionArns: items, nextToken };
  }

  function listFamilies(input: Input, caller: Caller): unknown {
    const prefix = text(input, "familyPrefix") ?? "";
    const status = text(input, "status") ?? "ALL";
    const limit = wholeNumber(input, "maxResults", { least: 1, most: 100, otherwise: 100 });
    const matching = [...accounts.region(caller).families].filter(([family, revisions]) => {
      const isActive = revisions.some((definition) => definition.status === "ACTIVE");
      return family.startsWith(prefix) && (status === "ALL" || isActive === (status === "ACTIVE"));
    });
    const names = matching.map(([family]) => family).sort();
    const { items, nextToken } = page(names, text(input, "nextToken"), limit);
    return { families: items, nextToken };
  }

  return {
    RegisterTaskDefinition: register,
    DescribeTaskDefinition: describe,
    DeregisterTaskDefinition: deregister,
    ListTaskDefinitions: list,
    ListTaskDefinitionFamilies: listFamilies,
  };
}

/** As AWS reads it back: containers and the lists AWS keeps as sets come in another order each time. */
function taskDefinitionView(definition: TaskDefinition, chance: Chance): unknown {
  const containers = (records(definition.content, "containerDefinitions") ?? []).map((container) =>
    shuffleMembers(container, ["environment", "secrets", "portMappings", "mountPoints", "volumesFrom"], chance),
  );
  return {
    ...shuffleMembers(definition.content, ["volumes", "requiresCompatibilities"], chance),
    containerDefinitions: shuffle(containers, chance),
    taskDefinitionArn: definition.arn,
    revision: definition.revision,
    status: definition.status,
    registeredAt: seconds(definition.registeredAtMs),
    registeredBy: definition.registeredBy,
    ...(definition.deregisteredAtMs === undefined ? {} : { deregisteredAt: seconds(definition.deregisteredAtMs) }),
  };
}

function shuffleMembers(content: Input, members: readonly string[], chance: Chance): Input {
  const shuffled = members.flatMap((member) => {
    const list = content[member];
    return Array.isArray(list) ? [[member, shuffle(list as readonly unknown[], chance)] as const] : [];
  });
  return { ...content, ...Object.fromEntries(shuffled) };
}

function shuffle<T>(items: readonly T[], chance: Chance): readonly T[] {
  const keyed = items.map((item) => ({ item, key: chance() }));
  return keyed.sort((left, right) => left.key - right.key).map(({ item }) => item);
}
