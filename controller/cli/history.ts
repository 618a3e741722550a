// `lockstep history <env>`: releases, the newest first.
import type { Call } from "./call.ts";
import { required } from "./call.ts";
import { createClient, select } from "./client.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./stop.ts";
import { releasesLines } from "./view-release.ts";

const DEFAULT_LIMIT = "20";

export async function history(call: Call): Promise<number> {
  const name = required(call, "environment", "lockstep history prod");
  const text = call.options.text("limit") ?? DEFAULT_LIMIT;
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw stop(EXIT.usage, `--limit: ${JSON.stringify(text)} is not a number`, "For example: --limit 20");
  }
  const client = createClient(call);
  const { id } = select((await client.status()).environments, name);
  const document = await client.releases(id);
  const releases = document.releases.slice(0, Number(text));
  if (call.options.flag("json")) {
    call.json({ ...document, releases });
    return EXIT.done;
  }
  const empty = releases.length === 0;
  if (empty) call.say([[`Nothing released to ${id} yet. The first merge of its environment file starts it.`]]);
  else call.print(releasesLines(releases, document.at, call.style.out));
  return EXIT.done;
}
