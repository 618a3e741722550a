// `lockstep demo [--story]`: a shop on a simulated AWS, played by keys or told as a story that checks itself.
import type { Told } from "../core/told.ts";
import { paint } from "../core/paint.ts";
import type { Call } from "./call.ts";
import { only } from "./call.ts";
import type { Demo, DemoOptions } from "./doors.ts";
import { DEMO_FAULTS } from "./doors.ts";
import { EXIT } from "./exit.ts";
import { play } from "./demo-keys.ts";
import { muted } from "./frame.ts";
import type { Output } from "./io.ts";
import { stop } from "./stop.ts";
import { farewell, helpLines, pending, toldLines } from "./view-demo.ts";

export async function demo(call: Call): Promise<number> {
  const { options, io } = call;
  only(call, "word");
  const faults = readFaults(options.text("fault"));
  const tells = options.flag("story");
  if (!tells && options.flag("json")) throw stop(EXIT.usage, "--json goes with --story");
  if (!tells && io.onKey === undefined) {
    throw stop(
      EXIT.usage,
      "the demo is played with keys, and this is no terminal",
      "`lockstep demo --story` needs none.",
    );
  }
  call.say([[muted("Opening a simulated AWS account, a Git repository and the controller …")]]);
  const opened = await (
    await call.doors()
  ).openDemo({
    faults,
    version: io.version,
    output: tells && !options.flag("verbose") ? SILENT : io.stderr,
    colour: call.style.err.colour,
    unicode: call.style.err.unicode,
    signal: io.signal,
  });
  try {
    if (io.onKey === undefined || tells) return await story(call, opened);
    return await play(call, opened, io.onKey);
  } finally {
    await opened.close();
  }
}

/** The controller's log is not part of the story; `-v` shows it. */
const SILENT: Output = { write: () => undefined, isTTY: false };

/** `UpdateService:denied`, several with commas. */
function readFaults(text: string | undefined): DemoOptions["faults"] {
  if (text === undefined) return [];
  return text.split(",").map((one) => {
    const [, operation, word] = /^((?:[a-z0-9]+:)?[A-Za-z0-9]+):([a-z0-9]+)$/.exec(one.trim()) ?? [];
    const kind = DEMO_FAULTS.find((name) => name === word);
    if (operation === undefined || kind === undefined) {
      const kinds = DEMO_FAULTS.join(", ");
      const next = `An operation and one of ${kinds}, for example: --fault UpdateService:denied`;
      throw stop(EXIT.usage, `--fault: ${JSON.stringify(one)} cannot be used`, next);
    }
    return { operation, kind };
  });
}

async function story(call: Call, opened: Demo): Promise<number> {
  const teller = createTeller(call);
  for await (const told of opened.story()) {
    teller.tell(told);
    if (told.kind === "untrue") {
      if (!call.options.flag("json")) call.complain(helpLines(told, opened.status()));
      return EXIT.failed;
    }
  }
  // A story that stopped half-way because somebody pressed Ctrl-C has not come true.
  call.io.signal.throwIfAborted();
  if (!call.options.flag("json")) call.print(farewell());
  return EXIT.done;
}

/** Results go to stdout; on a terminal the sentence being checked stands below them until its verdict is there. */
function createTeller(call: Call): { tell(told: Told): void } {
  const { io, style, options } = call;
  if (options.flag("json")) {
    return {
      tell: (told) => {
        if (told.kind !== "claim") call.json({ schema: "lockstep/v1", ...told }, true);
      },
    };
  }
  const redraws = io.stdout.isTTY && io.stderr.isTTY && io.env["TERM"] !== "dumb" && !options.flag("quiet");
  return {
    tell(told) {
      if (redraws && told.kind === "claim") {
        const columns = (io.stdout.columns ?? 80) - 1;
        io.stdout.write(paint([pending(told.sentence)], { ...style.out, columns }).trimEnd());
        return;
      }
      if (redraws && (told.kind === "true" || told.kind === "untrue")) io.stdout.write("\r\u001b[K");
      call.print(toldLines(told, io.stdout.columns));
    },
  };
}
