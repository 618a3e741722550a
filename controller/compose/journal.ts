// Opens the journal that the configuration names.
import type { JournalPlace } from "../config.ts";
import { Fault } from "../core/fault.ts";
import { createDirectoryJournal } from "../journal/directory.ts";
import type { Journal } from "../ports.ts";

/** `create` makes a missing folder; a command that only reads does not. */
export function openJournal(place: JournalPlace, create: boolean): Journal {
  if (place.kind === "directory") return createDirectoryJournal({ path: place.path, create });
  const address = `s3://${place.bucket}/${place.prefix}`;
  throw new Fault(
    "journal-unavailable",
    `${address}: a journal in S3 is not supported yet; name a directory on a local disk`,
  );
}
