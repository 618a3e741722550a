// A writer is called ended only when that is proven.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { createWriterId, hasEnded, isWriterId } from "../../controller/journal/writer.ts";

const WRITER = new URL("../../controller/journal/writer.ts", import.meta.url).pathname;
const PRINT = `import { createWriterId } from ${JSON.stringify(WRITER)}; console.log(createWriterId()); process.stdin.resume();`;

async function start(): Promise<{ writer: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", PRINT]);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    writer: line.toString().trim(),
    async kill() {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

describe.runIf(process.platform === "linux")("On Linux", () => {
  const own = createWriterId();
  const parts = own.split(".");
  const changed = (index: number, value: string) => parts.map((part, at) => (at === index ? value : part)).join(".");

  test("a process that runs has not ended, and has once it was killed", async () => {
    const child = await start();
    expect(isWriterId(child.writer)).toBe(true);
    expect(hasEnded(child.writer)).toBe(false);
    await child.kill();
    expect(hasEnded(child.writer)).toBe(true);
  });

  test("this process has not ended", () => {
    expect(parts).toHaveLength(6);
    expect(hasEnded(own)).toBe(false);
  });

  test("a process id that was used again by another process proves the end", () => {
    expect(hasEnded(changed(5, "1"))).toBe(true);
  });

  test.each([
    ["another boot or host", 1, "0".repeat(32)],
    ["another PID namespace", 2, "1"],
    ["another time namespace", 3, "1"],
  ])("%s proves nothing", (_what, index, value) => {
    expect(hasEnded(changed(index, value))).toBe(false);
  });
});

test("Two lives of one process have different ids", () => {
  expect(createWriterId()).not.toBe(createWriterId());
});
