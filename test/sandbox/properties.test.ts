import { array, assert, asyncProperty, constantFrom, integer, oneof, record, constant } from "fast-check";
import { describe, expect, test } from "vitest";
import { createChance } from "../../sandbox/chance.ts";
import { createSteppedClock } from "../../sandbox/clock.ts";
import { createOperations, type Operations } from "../../sandbox/operations.ts";
import { createSandbox } from "../../sandbox/sandbox.ts";
import { manifestOf, noTasks } from "./account.ts";

const region = "eu-central-1";

function open(): { readonly operations: Operations; readonly advance: (byMs: number) => void } {
  const clock = createSteppedClock();
  const sandbox = createSandbox({ clock, chance: createChance(1), runner: noTasks, region });
  return {
    operations: createOperations(sandbox.handle, region),
    advance: (byMs) => clock.advanceTo(clock.now() + byMs),
  };
}

describe("the registry", () => {
  const command = oneof(
    record({ kind: constant("put" as const), name: constantFrom("a", "b", "c"), tag: constantFrom("v1", "v2", "v3") }),
    record({ kind: constant("untag" as const), name: constant(""), tag: constantFrom("v1", "v2", "v3") }),
  );

  test("is what a plain table of tags would be, whatever was put and deleted", async () => {
    await assert(
      asyncProperty(array(command, { maxLength: 12 }), async (commands) => {
        const { operations } = open();
        const repositoryName = "shop/api";
        await operations.json("ecr", "CreateRepository", { repositoryName });
        const tags = new Map<string, string>();
        const images = new Set<string>();
        for (const { kind, name, tag } of commands) {
          if (kind === "put") {
            const putting = operations.json("ecr", "PutImage", {
              repositoryName,
              imageManifest: manifestOf(name),
              imageTag: tag,
            });
            if (tags.get(tag) === name) await expect(putting).rejects.toThrow("ImageAlreadyExistsException");
            else await putting;
            tags.set(tag, name);
            images.add(name);
          } else {
            const { failures } = await operations.json("ecr", "BatchDeleteImage", {
              repositoryName,
              imageIds: [{ imageTag: tag }],
            });
            const gone = tags.get(tag);
            expect(failures).toHaveLength(gone === undefined ? 1 : 0);
            tags.delete(tag);
            if (gone !== undefined && ![...tags.values()].includes(gone)) images.delete(gone);
          }
        }
        const { imageDetails } = await operations.json("ecr", "DescribeImages", { repositoryName });
        expect(imageDetails).toHaveLength(images.size);
        for (const [tag, name] of tags) {
          const answer = await operations.json("ecr", "BatchGetImage", {
            repositoryName,
            imageIds: [{ imageTag: tag }],
          });
          expect(answer).toMatchObject({ images: [{ imageManifest: manifestOf(name) }], failures: [] });
        }
      }),
    );
  });
});

describe("a log stream", () => {
  test("read forward page by page, while it is written, gives every line once and in order", async () => {
    const step = record({ write: integer({ min: 0, max: 4 }), limit: integer({ min: 1, max: 3 }) });
    await assert(
      asyncProperty(array(step, { maxLength: 8 }), async (steps) => {
        const { operations, advance } = open();
        const at = { logGroupName: "/ecs/api", logStreamName: "api/1" };
        await operations.json("logs", "CreateLogGroup", at);
        await operations.json("logs", "CreateLogStream", at);
        const written: string[] = [];
        const read: string[] = [];
        let nextToken: unknown;
        const page = async (limit: number): Promise<boolean> => {
          const answer = await operations.json("logs", "GetLogEvents", {
            ...at,
            startFromHead: true,
            limit,
            nextToken,
          });
          read.push(...(answer["events"] as { message: string }[]).map(({ message }) => message));
          const ended = answer["nextForwardToken"] === nextToken;
          nextToken = answer["nextForwardToken"];
          return ended;
        };
        for (const { write, limit } of steps) {
          const messages = Array.from({ length: write }, (_, index) => `line ${written.length + index}`);
          const logEvents = messages.map((message) => ({ timestamp: Date.UTC(2026, 0, 1), message }));
          if (write > 0) await operations.json("logs", "PutLogEvents", { ...at, logEvents });
          written.push(...messages);
          advance(1);
          await page(limit);
        }
        while (!(await page(3)));
        expect(read).toEqual(written);
      }),
    );
  });
});
