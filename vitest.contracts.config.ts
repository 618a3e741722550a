import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/contracts/**/*.test.ts"],
    globalSetup: ["test/contracts/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
