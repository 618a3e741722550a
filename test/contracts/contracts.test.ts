// The same contracts asked of the sandbox and, with `npm run test:contracts`, of moto: an opinion that is not ours.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openSandbox, type OpenSandbox } from "../../sandbox/open.ts";
import { type Account, openClients, REGION } from "./account.ts";
import type { Contract } from "./contract.ts";
import { subnetOfMoto } from "./moto.ts";
import { CLOUDFRONT } from "./promises/cloudfront.ts";
import { ECR } from "./promises/ecr.ts";
import { ECS_SERVICES } from "./promises/ecs-services.ts";
import { ECS_TASKS } from "./promises/ecs-tasks.ts";
import { LOGS } from "./promises/logs.ts";
import { S3_COPIES } from "./promises/s3-copies.ts";
import { S3_LISTS } from "./promises/s3-lists.ts";
import { S3_OBJECTS } from "./promises/s3-objects.ts";
import { STS } from "./promises/sts.ts";

const CONTRACTS: Readonly<Record<string, readonly Contract[]>> = {
  "S3 objects": S3_OBJECTS,
  "S3 lists and deletions": S3_LISTS,
  "S3 copies and multipart uploads": S3_COPIES,
  ECR,
  "ECS tasks": ECS_TASKS,
  "ECS services": ECS_SERVICES,
  CloudFront: CLOUDFRONT,
  Logs: LOGS,
  STS,
};

const moto = inject("moto");

describe("the sandbox", () => {
  let open: OpenSandbox;
  let account: Account;
  beforeAll(async () => {
    open = await openSandbox({ runner: "script", region: REGION, speed: 20 });
    account = openClients(open.url, () => Promise.resolve("subnet-0a1b2c3d"));
  });
  afterAll(() => open.close());

  describe.each(Object.entries(CONTRACTS))("%s", (_, contracts) => {
    for (const { name, observe, promised } of contracts) {
      test(name, async () => expect(await observe(account)).toEqual(promised));
    }
  });
});

describe.runIf(moto !== undefined)("moto", () => {
  const account = openClients(moto ?? "http://127.0.0.1:9", subnetOfMoto);

  describe.each(Object.entries(CONTRACTS))("%s", (_, contracts) => {
    for (const { name, observe, promised, moto: other } of contracts) {
      if (other === undefined) {
        test(name, async () => expect(await observe(account)).toEqual(promised));
      } else {
        // A disagreement that is gone must leave the list: from then on moto holds the promise for us as well.
        test(`still disagrees: ${name}`, async () => {
          const seen = await observe(account);
          expect(seen, other.evidence).toEqual(other.says);
          expect(seen, "moto agrees by now").not.toEqual(promised);
        });
      }
    }
  });
});
