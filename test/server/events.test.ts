import { afterEach, expect, test } from "vitest";
import type { Event } from "../../controller/core/event.ts";
import { environment, NEW, NOW, SHOP } from "../cli/shop.ts";
import type { Theatre, TheatreOptions } from "./board.ts";
import { open } from "./board.ts";

let theatre: Theatre | undefined;
const readers: Reader[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.close();
  await theatre?.server.close();
});

interface Reader {
  readonly status: number;
  /** Everything received so far, as soon as it holds `text`. */
  until(text: string): Promise<string>;
  /** Resolves when the server has ended the stream. */
  ended(): Promise<string>;
  close(): Promise<void>;
}

async function start(options: TheatreOptions = {}): Promise<Theatre> {
  theatre = await open(SHOP, options);
  return theatre;
}

async function listen(lastEventId?: string): Promise<Reader> {
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const response = await fetch(`${theatre?.server.address ?? ""}/api/v1/events`, { headers });
  const stream = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async (enough: () => boolean): Promise<string> => {
    while (!enough()) {
      const next = await stream?.read();
      if (next === undefined || next.done) break;
      text += next.value;
    }
    return text;
  };
  const reader: Reader = {
    status: response.status,
    until: (wanted) => read(() => text.includes(wanted)),
    ended: () => read(() => false),
    close: async () => stream?.cancel().catch(() => undefined),
  };
  readers.push(reader);
  return reader;
}

function progress(text: string): Event {
  return {
    durable: false,
    stream: "environment/shop/prod",
    at: NOW,
    event: { type: "progress", release: 12, step: "deploy/api", text },
  };
}

/** The events of a stream, by id. */
function items(text: string): readonly (readonly [string, { readonly text: string }])[] {
  return text.split("\n\n").flatMap((block) => {
    const id = /^id: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    return id === undefined || data === undefined ? [] : [[id, JSON.parse(data) as { readonly text: string }] as const];
  });
}

test("events arrive as they happen, numbered, each with its sentence", async () => {
  const stage = await start();
  const reader = await listen();
  await reader.until("welcome");
  stage.emit(progress("1 of 2 tasks healthy"));
  stage.emit(progress("2 of 2 tasks healthy"));
  expect(items(await reader.until("2 of 2"))).toEqual([
    ["life-1", expect.objectContaining({ about: "shop/prod", text: "#12 deploy api: 1 of 2 tasks healthy" })],
    ["life-2", expect.objectContaining({ text: "#12 deploy api: 2 of 2 tasks healthy" })],
  ]);
});

test("who comes back with the last id gets what was missed, once", async () => {
  const stage = await start();
  for (const number of [1, 2, 3]) stage.emit(progress(`line ${number}`));
  const text = await (await listen("life-1")).until("line 3");
  expect(items(text).map(([id]) => id)).toEqual(["life-2", "life-3"]);
  expect(text).not.toContain("event: reset");
});

test.each(["life-x", "other-1", "life-99", "1", "life--1", ""])(
  "the unknown id %j means: read the status again",
  async (id) => {
    const stage = await start();
    stage.emit(progress("before"));
    const reader = await listen(id);
    await reader.until("welcome");
    stage.emit(progress("after"));
    const text = await reader.until("after");
    expect(text).toContain("event: reset");
    expect(items(text).map(([, { text: said }]) => said)).toEqual(["#12 deploy api: after"]);
  },
);

test("only the newest 1000 events are remembered; older ids mean: read the status again", async () => {
  const stage = await start();
  for (let number = 1; number <= 1005; number += 1) stage.emit(progress(`line ${number}`));
  expect(items(await (await listen("life-5")).until("line 1005"))).toHaveLength(1000);
  expect(await (await listen("life-4")).until("welcome")).toContain("event: reset");
});

test("a quiet stream shows that it is alive", async () => {
  await start({ heartbeatMs: 20 });
  expect(await (await listen()).until("heartbeat")).toContain(": heartbeat\n\n");
});

test("no more than 64 listen at once, and whoever leaves makes room", async () => {
  await start();
  const all = await Promise.all(Array.from({ length: 64 }, () => listen()));
  await Promise.all(all.map((reader) => reader.until("welcome")));
  expect((await listen()).status).toBe(503);
  await all[0]?.close();
  await expect.poll(async () => (await listen()).status).toBe(200);
});

test("closing the server ends every stream", async () => {
  const stage = await start();
  const reader = await listen();
  await reader.until("welcome");
  await stage.server.close();
  expect(await reader.ended()).toContain("welcome");
  theatre = undefined;
});

test("what a release is made of never leaves: task definitions carry environment values", async () => {
  const stage = await start();
  const reader = await listen();
  await reader.until("welcome");
  const desired = { ...environment("prod"), url: "https://canary-in-a-task-definition.example" };
  stage.emit({
    durable: true,
    stream: "environment/shop/prod",
    record: {
      v: 1,
      sequence: 7,
      at: NOW,
      writer: "w",
      epoch: 1,
      nonce: "n",
      event: {
        type: "release-started",
        release: 12,
        releaseId: "0".repeat(32),
        kind: "release",
        direction: "forward",
        desired,
        arrival: NEW,
        artifacts: {},
        steps: [],
        why: "first release of 9f2c1ab",
      },
    },
  });
  const text = await reader.until("first release");
  expect(text).toContain("#12 release of 9f2c1ab started");
  expect(text).not.toContain("canary-in-a-task-definition");
});
