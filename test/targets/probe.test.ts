import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSteppedClock } from "../../sandbox/clock.ts";
import { cancellation } from "../../controller/core/cancel.ts";
import { Digest, Instant, ServiceName, Sha, WebName } from "../../controller/core/brand.ts";
import type { Environment, HealthCheck } from "../../controller/core/environment.ts";
import type { Outcome } from "../../controller/core/event.ts";
import { NOTHING } from "../../controller/core/history.ts";
import type { Clock, Context, Turn } from "../../controller/ports.ts";
import { createProbe } from "../../controller/targets/probe.ts";
import { createGet, type Get, type Resolve } from "../../controller/targets/probe/get.ts";

const sha = Sha.parse("9f2c1ab7d4e05c6183b7a90e2f4d5c6b7a8e9f01");

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A real HTTP server on a port of the system's choice. */
async function serve(handler: Handler): Promise<{ readonly url: string; readonly port: number }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port };
}

/** Answers with these one after another, then with the last for ever. */
function answering(...answers: readonly (readonly [status: number, body?: string])[]): Handler {
  let at = 0;
  return (_, response) => {
    const [status, body = ""] = answers[Math.min(at, answers.length - 1)] ?? [500];
    at += 1;
    response.writeHead(status).end(body);
  };
}

/** A probe whose time moves only while no request is on its way. */
function bench(get: Get = createGet()) {
  const stepped = createSteppedClock(Date.UTC(2026, 2, 1));
  const open = { requests: 0 };
  const clock: Clock = {
    now: () => Instant.of(stepped.now()),
    monotonicMs: () => stepped.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          cancel();
          reject(signal.reason as Error);
        };
        const cancel = stepped.after(ms, () => {
          signal.removeEventListener("abort", stop);
          resolve();
        });
        signal.addEventListener("abort", stop, { once: true });
      }),
  };
  const counted: Get = async (url, signal) => {
    open.requests += 1;
    try {
      return await get(url, signal);
    } finally {
      open.requests -= 1;
    }
  };
  const drive = async (promise: Promise<Outcome>): Promise<Outcome> => {
    const state = { ended: false };
    const end = (): void => {
      state.ended = true;
    };
    promise.then(end, end);
    while (!state.ended) {
      for (let quiet = 0; quiet < 10; quiet += 1) await turn();
      const next = stepped.nextAt();
      if (!state.ended && open.requests === 0 && next !== undefined) stepped.advanceTo(next);
    }
    return promise;
  };
  return { stepped, clock, drive, probe: createProbe({ clock, get: counted }) };
}

const idle = new AbortController().signal;

function health(url: string, changes: Partial<HealthCheck> = {}): HealthCheck {
  return { url, forMs: 3_000, timeoutMs: 10_000, ...changes };
}

async function outcomeOf(handler: Handler, changes: Partial<HealthCheck> = {}, path = "/"): Promise<Outcome> {
  const { url } = await serve(handler);
  const { probe, drive } = bench();
  return drive(probe.check(health(`${url}${path}`, changes), sha, idle));
}

async function messageOf(handler: Handler, changes: Partial<HealthCheck> = {}): Promise<string> {
  const outcome = await outcomeOf(handler, changes);
  return outcome.status === "failed" ? outcome.message : outcome.status;
}

describe("a check that fails", () => {
  it("names the URL, the last status and what the body said", async () => {
    const message = await messageOf(answering([503, "database\n is   starting"]));
    expect(message).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/ was not green within 10 s; last answer 503: database is starting$/,
    );
  });

  it("says that nobody listens", async () => {
    const { probe, drive } = bench();
    const outcome = await drive(probe.check(health("http://127.0.0.1:1/"), sha, idle));
    expect(outcome).toMatchObject({ status: "failed", code: "health-failed" });
    expect(outcome).toMatchObject({ message: expect.stringContaining("ECONNREFUSED") });
  });

  it("gives each request five seconds", async () => {
    const { url } = await serve(() => undefined);
    const { probe, stepped } = bench();
    const notes: string[] = [];
    const checking = probe.check(health(url), sha, idle, (text) => void notes.push(text));
    for (let seconds = 0; seconds < 12; seconds += 5) {
      for (let quiet = 0; quiet < 50; quiet += 1) await turn();
      stepped.advanceTo(stepped.now() + 5_000);
    }
    await expect(checking).resolves.toMatchObject({ status: "failed" });
    expect(notes).toEqual([`${url}: no answer within 5 s`]);
  });

  it("counts anew after one answer that is not green", async () => {
    const flapping = answering([200], [200], [500, "oops"], [200], [200], [500, "oops"], [200], [200], [500, "oops"]);
    expect(await messageOf(flapping)).toContain("500: oops");
  });

  it.each([
    [JSON.stringify({ sha: "0000000" }), `$.sha is "0000000", not 9f2c1ab`],
    [JSON.stringify({ sha: sha.slice(0, 6) }), `$.sha is "9f2c1a", not 9f2c1ab`],
    ["{}", "$.sha is missing, not 9f2c1ab"],
    ["<html>", "not JSON: <html>"],
    [`{"sha":"${sha}","pad":"${"x".repeat(70_000)}"}`, "longer than 64 KiB"],
  ])("does so for the version in %.40s", async (body, why) => {
    expect(await messageOf(answering([200, body]), { version: "$.sha" })).toContain(why);
  });

  it("never asks link-local and metadata addresses, by name or number", async () => {
    const to =
      (address: string): Resolve =>
      () =>
        Promise.resolve([{ address, family: address.includes(":") ? 6 : 4 }]);
    for (const address of ["169.254.169.254", "169.254.170.2", "fe80::1%eth0", "fd00:ec2::254", "::ffff:169.254.1.1"]) {
      await expect(createGet(to(address))("http://inside.test/", idle)).rejects.toThrow("never ask");
    }
    for (const url of ["http://169.254.169.254/latest", "http://[fe80::1]/", "http://0xA9FEA9FE/"]) {
      await expect(createGet()(url, idle)).rejects.toThrow("never ask");
    }
    const mixed: Resolve = () =>
      Promise.resolve([
        { address: "127.0.0.1", family: 4 },
        { address: "169.254.169.254", family: 4 },
      ]);
    await expect(createGet(mixed)("http://inside.test/", idle)).rejects.toThrow("never ask");
  });

  it("follows no redirect to another host, port or scheme, and none without end", async () => {
    const other = await serve(answering([200]));
    const redirecting =
      (location: string): Handler =>
      (_, response) =>
        void response.writeHead(302, { location }).end();
    expect(await messageOf(redirecting(other.url))).toContain("redirected to another host");
    expect(await messageOf(redirecting("http://169.254.169.254/"))).toContain("redirected to another host");
    expect(await messageOf(redirecting("file:///etc/passwd"))).toContain("redirected to another host");
    expect(await messageOf(redirecting("/again"))).toContain("more than 3 redirects");
  });
});

describe("a check that passes", () => {
  it("asks every second until it was green for long enough", async () => {
    let asked = 0;
    const { url } = await serve((_, response) => {
      asked += 1;
      response.end("ok");
    });
    const { probe, drive, stepped } = bench();
    const began = stepped.now();
    const outcome = await drive(probe.check(health(url), sha, idle));
    expect(outcome.status).toBe("done");
    expect(asked).toBe(4);
    expect(stepped.now() - began).toBe(3_000);
  });

  it("waits for a service that starts", async () => {
    expect((await outcomeOf(answering([503], [503], [200]))).status).toBe("done");
  });

  it("takes the statuses of the manifest instead of 200 to 299", async () => {
    expect((await outcomeOf(answering([401]), { status: [401] })).status).toBe("done");
    expect((await outcomeOf(answering([200]), { status: [401] })).status).toBe("failed");
    expect((await outcomeOf(answering([299]))).status).toBe("done");
    expect((await outcomeOf(answering([304]))).status).toBe("failed");
  });

  it("knows the version by its SHA or a prefix of it", async () => {
    for (const version of [sha, sha.slice(0, 7)]) {
      const body = JSON.stringify({ build: { sha: version } });
      expect((await outcomeOf(answering([200, body]), { version: "$.build.sha" })).status).toBe("done");
    }
  });

  it("follows three redirects on the same host", async () => {
    const outcome = await outcomeOf(
      (request, response) => {
        const hops = Number(request.url?.slice(1) ?? 0);
        if (hops < 3) response.writeHead(302, { location: `/${hops + 1}` }).end();
        else response.end("there");
      },
      {},
      "/0",
    );
    expect(outcome.status).toBe("done");
  });

  it("reads no more of a long body than it needs", async () => {
    const outcome = await outcomeOf((_, response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (!response.destroyed && response.write("x".repeat(16_384)));
      };
      response.on("drain", pour);
      pour();
    });
    expect(outcome.status).toBe("done");
  });

  it("connects to the address that was checked, and keeps the name", async () => {
    const { port } = await serve((request, response) => void response.end(request.headers.host));
    const resolve: Resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    const answer = await createGet(resolve)(`http://api.shop.test:${port}/`, idle);
    expect(answer).toEqual({ status: 200, body: `api.shop.test:${port}`, truncated: false });
  });
});

describe("a check that is stopped", () => {
  it("ends at once, in the middle of a request", async () => {
    const stop = new AbortController();
    const { url } = await serve(() => stop.abort(cancellation("superseded")));
    const { probe, drive } = bench();
    expect(await drive(probe.check(health(url), sha, stop.signal))).toEqual({ status: "cancelled", by: "superseded" });
  });
});

describe("the health step", () => {
  async function run(
    services: Readonly<Record<string, Handler | undefined>>,
    page?: Handler,
  ): Promise<readonly [Outcome, readonly string[]]> {
    const { probe, clock, drive } = bench();
    const notes: string[] = [];
    const checked = async (handler: Handler | undefined): Promise<{ health?: HealthCheck }> =>
      handler === undefined ? {} : { health: health((await serve(handler)).url) };
    const list = await Promise.all(
      Object.entries(services).map(async ([name, handler]) => ({
        name: ServiceName.parse(name),
        sha,
        ...(await checked(handler)),
      })),
    );
    const webs = page === undefined ? [] : [{ name: WebName.parse("site"), sha, ...(await checked(page)) }];
    const turn = {
      environment: { services: list, webs } as unknown as Environment,
      memory: NOTHING,
    } as unknown as Turn;
    const context: Context = {
      signal: idle,
      clock,
      random: () => "00",
      note: (text) => void notes.push(text),
      record: () => Promise.reject(new Error("the engine records health, not the step")),
      guard: () => undefined,
    };
    const fingerprint = Digest.parse(`sha256:${"0".repeat(64)}`);
    return [await drive(probe.runner({ kind: "health", fingerprint, why: "" }, turn, context)), notes];
  }

  it("is done when there is nothing to check", async () => {
    expect((await run({ api: undefined }))[0]).toEqual({ status: "done", note: "nothing to check" });
  });

  it("asks services and pages side by side, and notes what each answers", async () => {
    const [outcome, notes] = await run({ api: answering([503], [200]), worker: undefined }, answering([200]));
    expect(outcome).toEqual({ status: "done", note: "2 checks green" });
    expect(notes.map((note) => note.replace(/http\S+ /, ""))).toEqual(
      expect.arrayContaining(["api: 503", "api: 200", "site: 200"]),
    );
  });

  it("fails with the first that fails, by name", async () => {
    const [outcome] = await run({ api: answering([200]), admin: answering([500, "broken"]) });
    expect(outcome).toMatchObject({ status: "failed", message: expect.stringMatching(/^admin: .*500: broken$/) });
  });

  it("checks one service for its deployment", async () => {
    const { probe, drive } = bench();
    const { url } = await serve(answering([200]));
    const service = { name: ServiceName.parse("api"), sha, health: health(url) };
    expect((await drive(probe.checkService(service, idle))).status).toBe("done");
    const { health: _, ...unchecked } = service;
    expect(await drive(probe.checkService(unchecked, idle))).toEqual({
      status: "done",
      note: "nothing to check",
    });
  });
});
