import { expect, test } from "vitest";
import { Instant } from "../../controller/core/brand.ts";
import type { Event } from "../../controller/core/event.ts";
import { createBus } from "../../controller/engine/bus.ts";
import type { Sink } from "../../controller/ports.ts";

const said = (text: string): Event => ({
  durable: false,
  stream: "environment/shop/prod",
  at: Instant.of(0),
  event: { type: "progress", release: 1, step: "health", text },
});
const textOf = (event: Event): string =>
  !event.durable && event.event.type === "progress" ? event.event.text : "durable";

function sinkOf(take: Sink["take"]): Sink {
  return { name: "test", take, [Symbol.asyncDispose]: () => Promise.resolve() };
}

test("A sink that fails is counted, and hears what comes after", async () => {
  const heard: string[] = [];
  const bus = createBus([
    sinkOf((event) => {
      if (textOf(event) === "bad") throw new Error("full");
      heard.push(textOf(event));
    }),
  ]);
  for (const text of ["one", "bad", "two"]) bus.publish(said(text));
  await bus[Symbol.asyncDispose]();
  expect(heard).toEqual(["one", "two"]);
  expect(bus.failures()).toEqual(new Map([["test", 1]]));
});

test("A slow sink holds nobody, and hears everything in order before the bus is closed", async () => {
  const heard: string[] = [];
  const slow = sinkOf(async (event) => {
    await new Promise(setImmediate);
    heard.push(textOf(event));
  });
  const bus = createBus([slow]);
  const listened: string[] = [];
  using _ = bus.subscribe((event) => listened.push(textOf(event)));
  for (const text of ["one", "two", "three"]) bus.publish(said(text));
  expect(listened).toEqual(["one", "two", "three"]);
  await bus[Symbol.asyncDispose]();
  expect(heard).toEqual(["one", "two", "three"]);
});

test("Whoever has unsubscribed hears nothing more", () => {
  const bus = createBus([]);
  const heard: string[] = [];
  const subscription = bus.subscribe((event) => heard.push(textOf(event)));
  bus.publish(said("one"));
  subscription[Symbol.dispose]();
  bus.publish(said("two"));
  expect(heard).toEqual(["one"]);
});

test("A sink that never answers costs a bounded backlog, and progress is dropped before records", async () => {
  const never = sinkOf(() => new Promise(() => undefined));
  const bus = createBus([never]);
  for (let count = 0; count < 30_000; count += 1) bus.publish(said(String(count)));
  expect(bus.failures().size).toBe(0);
});
