// One repository with its controller in an account: what most tests begin with.
import { join } from "node:path";
import type { Account } from "./account.ts";
import { type Controller, type ControllerOptions, createController } from "./controller.ts";
import { createRepository, type Repository } from "./repository.ts";
import { openShop, type Shop, type ShopOptions } from "./shop.ts";

export interface Site {
  readonly repository: Repository;
  readonly controller: Controller;
  shop(application: string, options?: ShopOptions): Promise<Shop>;
}

/** The controller is not started yet. */
export async function openSite(
  account: Account,
  name: string,
  options: Partial<ControllerOptions> = {},
): Promise<Site> {
  const folder = join(account.folder, name);
  const repository = await createRepository(folder);
  const controller = createController(account, {
    repository: repository.bare,
    journal: join(folder, "journal"),
    cwd: repository.clone,
    ...options,
  });
  return { repository, controller, shop: (application, how) => openShop(account, repository, application, how) };
}
