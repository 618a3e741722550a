// One kill for many moments: a shop for each write at which a life ends, one controller for all, one `kill -9`.
import { ListServiceDeploymentsCommand } from "@aws-sdk/client-ecs";
import { expect } from "vitest";
import { type Account, type Held, openAccount } from "./account.ts";
import { accepted, references } from "./calls.ts";
import { openSite } from "./site.ts";
import type { Shop, ShopOptions } from "./shop.ts";
import { until } from "./until.ts";

/** A write of a release: its operation, what its input mentions, and which of those it is. */
export interface Point {
  readonly step: string;
  readonly operation: string;
  readonly mentions: (application: string, distribution: string) => string;
  readonly nth?: number;
  /** Default: all three. */
  readonly moments?: readonly Moment[];
}

/** `late`: held before its effect, and let go only when the next life has finished. */
const MOMENTS = ["before", "after", "late"] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Killed {
  readonly account: Account;
  /** The end state, by AWS and the CDN, and how it was reached. */
  endedRight(point: Point, moment: Moment): Promise<void>;
  /** Lets the late call take effect, and looks once more. */
  comesLate(point: Point): Promise<void>;
}

interface Case {
  readonly shop: Shop;
  readonly sha: string;
  readonly moment: Moment;
  readonly held: Held;
}

export function momentsOf({ moments = MOMENTS }: Point): readonly Moment[] {
  return moments;
}

/** Resolves when the second life has begun. */
export async function killAt(points: readonly Point[], options: ShopOptions): Promise<Killed> {
  const account = await openAccount();
  try {
    return await killIn(account, points, options);
  } catch (error) {
    await account.close();
    throw error;
  }
}

async function killIn(account: Account, points: readonly Point[], options: ShopOptions): Promise<Killed> {
  const site = await openSite(account, "kill");
  const { controller } = site;
  const cases = new Map<string, Case>();

  async function prepare(point: Point, moment: Moment): Promise<void> {
    const shop = await site.shop(`${point.step}-${moment}`, { ...options, services: ["api"] });
    const sha = await shop.build();
    const match = point.mentions(shop.application, shop.distribution("dev"));
    const order = { operation: point.operation, match, ...(point.nth === undefined ? {} : { nth: point.nth }) };
    const held = await account.hold(order, moment === "after" ? "after" : "before");
    cases.set(shop.application, { shop, sha, moment, held });
  }

  await Promise.all(points.flatMap((point) => momentsOf(point).map((moment) => prepare(point, moment))));
  for (const { shop, sha } of cases.values()) await shop.bump("dev", sha);
  await controller.start();
  await Promise.all([...cases.values()].map(({ held }) => held.reached()));
  await controller.kill();
  for (const { held, moment } of cases.values()) if (moment !== "late") await held.release();
  await controller.start();

  function caseOf(point: Point, moment: Moment): Case {
    const one = cases.get(`${point.step}-${moment}`);
    if (one === undefined) throw new Error(`no case for ${point.step} ${moment}`);
    return one;
  }

  async function endedRight(point: Point, moment: Moment): Promise<void> {
    const { shop, sha } = caseOf(point, moment);
    await controller.healthy(shop.id("dev"), sha);
    const calls = await shop.calls("dev");
    const tokens = accepted(calls, "ecs:RunTask").map(({ input }) => input["clientToken"]);
    expect(new Set(tokens).size, "tasks of the migration").toBe(options.migrate === undefined ? 1 : 0);
    const { api } = await shop.services("dev");
    expect(api.taskDefinition).toContain(`lockstep-${shop.application}-dev-api`);
    const { serviceDeployments = [] } = await account.ecs.send(
      new ListServiceDeploymentsCommand({ cluster: shop.cluster("dev"), service: "api" }),
    );
    expect(serviceDeployments, "what was found, and one deployment of ours").toHaveLength(2);
    expect(JSON.parse(await shop.version("dev"))).toMatchObject({ sha });
    await until(`the page to show ${sha}`, async () => ((await shop.page("dev")).includes(sha) ? true : undefined));
    const page = accepted(calls, "s3:CopyObject").findLast(({ input }) => String(input["path"]).endsWith("index.html"));
    const told = accepted(calls, "cloudfront:CreateInvalidation").at(-1);
    expect(told?.sequence, "the CDN was told after the last page").toBeGreaterThan(page?.sequence ?? Infinity);
    expect(new Set(references(calls)).size).toBeLessThanOrEqual(2);
  }

  return {
    account,
    endedRight,
    async comesLate(point) {
      const { shop, held } = caseOf(point, "late");
      await endedRight(point, "late");
      await held.release();
      await controller.look(shop.cluster("dev"));
      await endedRight(point, "late");
    },
  };
}
