// The journal's own name: random, written once as its first record, and found in AWS tags ever after.
import type { Recorded } from "../core/event.ts";
import { Fault } from "../core/fault.ts";
import type { Clock, Journal, Random } from "../ports.ts";

export async function identify(
  journal: Journal,
  by: { clock: Clock; random: Random; writer: string },
): Promise<string> {
  const known = await first(journal);
  if (known !== undefined) return known;
  // The name is written before anything else: history without it means that the first record was lost.
  if ((await journal.streams()).some((stream) => stream !== "journal"))
    throw new Fault(
      "journal-damaged",
      `${journal.address} holds history but not its own name, record 1 of the stream "journal"; restore it from a copy`,
    );
  const { clock, random, writer } = by;
  try {
    const event = { type: "journal-opened", journalId: random(8) } as const;
    const record = await journal.append("journal", { at: clock.now(), writer, epoch: 0, event }, 0);
    return nameIn(record);
  } catch (error) {
    // Another controller was first: its name is the journal's.
    const theirs = error instanceof Fault && error.code === "fenced" ? await first(journal) : undefined;
    if (theirs === undefined) throw error;
    return theirs;
  }
}

async function first(journal: Journal): Promise<string | undefined> {
  for await (const record of journal.read("journal", 1)) return nameIn(record);
  return undefined;
}

function nameIn(record: Recorded): string {
  if (record.event.type === "journal-opened") return record.event.journalId;
  throw new Fault("journal-damaged", `record 1 of the stream "journal" is ${record.event.type}, not journal-opened`);
}
