// The journal as one life reaches it: shared, with faults and crashes around every call.
import type { Recorded, Stream } from "../../controller/core/event.ts";
import type { Journal } from "../../controller/ports.ts";
import type { Life } from "./life.ts";

export interface SharedJournal {
  readonly journal: Journal;
  /** Hears every record as it is appended, whoever appends it. */
  readonly onRecord: (stream: Stream, record: Recorded) => void;
  /** Writers whose end can be proven here, as on one host. */
  readonly ended: ReadonlySet<string>;
}

export function journalOf(life: Life, { journal, onRecord, ended }: SharedJournal): Journal {
  return {
    address: "model:journal",
    async append(stream, entry, expected) {
      // The effect of the call is the append itself; its promise is settled when it is awaited.
      const appended = await life.write("append", () => {
        const record = journal.append(stream, entry, expected).then((kept) => {
          onRecord(stream, kept);
          return kept;
        });
        // Lost answers leave nobody who would hear a refusal.
        record.catch(() => undefined);
        return { record };
      });
      return appended.record;
    },
    async *read(stream, from) {
      const records = await life.read("journal-read", () => journal.read(stream, from));
      yield* records;
    },
    streams: async () => (await life.read("journal-list", () => ({ streams: journal.streams() }))).streams,
    hasEnded: (writer) => ended.has(writer),
  };
}
