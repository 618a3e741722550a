// A process of its own that appends to a directory journal: `appender.ts <path> <writer> <appends> [pause]`.
import { once } from "node:events";
import { createDirectoryJournal } from "../../controller/journal/directory.ts";
import { faultOf } from "../../controller/core/fault.ts";
import { createWriterId } from "../../controller/journal/writer.ts";
import { entry, STREAM } from "./contract.ts";

const [path = "", name = "", appends = "0"] = process.argv.slice(2);
const journal = createDirectoryJournal({ path });
const writer = createWriterId();

// Everybody is loaded before anybody begins, so that the appends meet.
process.stdout.write(`ready ${writer}\n`);
await once(process.stdin, "data");

let expected = 0;
for (let won = 0; won < Number(appends);) {
  try {
    await journal.append(STREAM, entry(`${name} ${won}`, writer), expected);
    won += 1;
    process.stdout.write(`won ${expected + 1}\n`);
  } catch (thrown) {
    if (faultOf(thrown).code !== "fenced") throw thrown;
  }
  expected += 1;
}
process.stdin.destroy();
