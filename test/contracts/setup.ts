// Starts moto before the contracts and ends it after them; only `npm run test:contracts` does.
import type { TestProject } from "vitest/node";
import { startMoto } from "./moto.ts";

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const moto = await startMoto();
  project.provide("moto", moto.url);
  return () => moto.close();
}

declare module "vitest" {
  interface ProvidedContext {
    /** Where moto listens; undefined in `npm test`, which asks the sandbox alone. */
    readonly moto: string | undefined;
  }
}
