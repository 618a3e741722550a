// Opens the journal that the configuration names.
import type { JournalPlace } from "../config.ts";
import { createDirectoryJournal } from "../journal/directory.ts";
import { createS3Journal } from "../journal/s3.ts";
import type { Clock, Journal } from "../ports.ts";
import type { Aws } from "../targets/aws.ts";
import { createBucketStore } from "./journal-bucket.ts";

export interface JournalParts {
  /** Makes a missing folder; a command that only reads does not. A bucket is never made. */
  readonly create: boolean;
  readonly aws: Aws;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function openJournal(place: JournalPlace, { create, aws, clock, env }: JournalParts): Journal {
  if (place.kind === "directory") return createDirectoryJournal({ path: place.path, create });
  const { bucket, prefix } = place;
  return createS3Journal({ store: createBucketStore(bucket, { aws, clock, env }), prefix, clock });
}
