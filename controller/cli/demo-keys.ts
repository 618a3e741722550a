// The demo played with keys: each is a commit or a call by hand, and the controller tells what comes of it.
import type { Line } from "../core/paint.ts";
import type { Call } from "./call.ts";
import type { Demo, DemoDeed } from "./doors.ts";
import { EXIT } from "./exit.ts";
import { mark, muted, strong, table } from "./frame.ts";
import { farewell, toldLines } from "./view-demo.ts";
import { statusLines } from "./view-status.ts";

interface Key {
  readonly deed: DemoDeed;
  readonly means: string;
}

const KEYS: ReadonlyMap<string, Key> = new Map([
  ["p", { deed: "promote", means: "promote: a new build to dev, then dev → staging → prod" }],
  ["m", { deed: "migration", means: "break a migration in dev: nothing else changes" }],
  ["c", { deed: "crash", means: "crash-loop a service in dev: it is rolled back" }],
  ["d", { deed: "drift", means: "change staging by hand" }],
  ["h", { deed: "hold", means: "hold staging, or let it go" }],
  ["r", { deed: "revert", means: "revert the last commit" }],
]);

/** A terminal in raw mode sends Ctrl-C and Ctrl-D as characters. */
const QUIT: ReadonlySet<string> = new Set(["q", "\u0003", "\u0004"]);

/** Ends with `q` or Ctrl-C. */
export async function play(call: Call, demo: Demo, onKey: NonNullable<Call["io"]["onKey"]>): Promise<number> {
  const perform = createTurns(call, demo);
  call.print(welcome(call, demo));
  perform("begin");
  await new Promise<void>((resolve) => {
    const deafen = onKey((key) => {
      const known = KEYS.get(key);
      if (known !== undefined) perform(known.deed);
      else if (key === "s") call.print(statusLines(demo.status(), call.style.out));
      else if (key === "?") call.print(keyLines(call));
      else if (QUIT.has(key)) end();
    });
    const end = (): void => {
      deafen();
      resolve();
    };
    if (call.io.signal.aborted) end();
    else call.io.signal.addEventListener("abort", end, { once: true });
  });
  call.say([[], [muted("Closing; everything is removed …")]]);
  call.print(farewell());
  return EXIT.done;
}

/** Deeds follow one another, however fast the keys come; one that fails does not keep the next from being done. */
function createTurns(call: Call, demo: Demo): (deed: DemoDeed) => void {
  let turn: Promise<void> = Promise.resolve();
  async function after(before: Promise<void>, deed: DemoDeed): Promise<void> {
    await before;
    try {
      for await (const told of demo.do(deed)) call.print(toldLines(told, call.io.stdout.columns));
    } catch (thrown) {
      if (call.io.signal.aborted) return;
      call.complain([[mark("failed", thrown instanceof Error ? thrown.message : String(thrown))]]);
    }
  }
  return (deed) => {
    turn = after(turn, deed);
  };
}

function welcome(call: Call, { address, bare, clone, variables }: Demo): readonly Line[] {
  const exports = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [
    [],
    [strong("A shop in dev, staging and prod, on an AWS account that lives in this process.")],
    ...table(
      [
        [["Page"], [address]],
        [["Git"], [`git clone ${bare}`]],
        [[""], [muted(`or edit in ${clone}, commit and push`)]],
        [["AWS"], ["export", ...exports.map((one) => ` ${one}`)]],
        [["Lockstep"], [`export LOCKSTEP_URL=${address}`, muted("  for `lockstep status`, `lockstep wait dev`, …")]],
      ],
      call.style.out,
      "  ",
    ),
    [],
    ...keyLines(call),
    [],
  ];
}

function keyLines({ style }: Call): readonly Line[] {
  const rows: readonly (readonly Line[])[] = [
    ...[...KEYS].map(([key, { means }]) => [[strong(key)], [means]]),
    [[strong("s")], ["status"]],
    [[strong("?")], ["these keys"]],
    [[strong("q")], ["quit; everything is removed"]],
  ];
  return table(rows, style.out, "  ");
}
