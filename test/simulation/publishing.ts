// The runners of pages: stage, publish, invalidate and prune as release.md has them ("Web marker"), over modelled buckets.
import type { Digest, WebName } from "../../controller/core/brand.ts";
import { PublicationId } from "../../controller/core/brand.ts";
import { Fault } from "../../controller/core/fault.ts";
import type { Context, Runners, Turn } from "../../controller/ports.ts";
import type { Life } from "./life.ts";
import type { Marker, Pages } from "./pages.ts";

const POLL_MS = 5_000;
const DAY_MS = 24 * 3_600_000;

export function pageRunners(
  life: Life,
  pagesOf: (turn: Turn, web: WebName) => Pages,
): Pick<Runners, "stage" | "publish" | "invalidate" | "prune"> {
  const look = (pages: Pages): Promise<Marker | undefined> => life.read("read-marker", () => pages.marker());

  async function put(
    pages: Pages,
    seen: Marker | undefined,
    next: Omit<Marker, "nonce">,
    context: Context,
  ): Promise<Marker> {
    const marker: Marker = { ...next, nonce: context.random(8) };
    context.guard();
    const written = await life.write("write-marker", () => pages.writeMarker(marker, seen?.nonce));
    if (!written) throw new Fault("publish-conflict", "the marker changed during the release");
    return marker;
  }

  async function copyAssets(pages: Pages, digest: Digest, context: Context): Promise<void> {
    context.guard();
    await life.write("copy-assets", () => pages.putAssets(digest));
  }

  return {
    async stage(step, turn, context) {
      await copyAssets(pagesOf(turn, step.web), step.digest, context);
      return { status: "done" };
    },
    async publish(step, turn, context) {
      const pages = pagesOf(turn, step.web);
      const { web, digest } = step;
      const seen = await look(pages);
      const known = turn.memory.publications.get(web);
      const counts = { written: 1, deleted: 0 };
      const isOurs = known !== undefined && !known.settled && known.publication === seen?.publication;
      if (isOurs && seen?.state === "served" && seen.digest === digest) {
        await context.record({ type: "publication-settled", web, publication: seen.publication, digest, ...counts });
        return { status: "done" };
      }
      const publication = PublicationId.parse(context.random(16));
      await context.record({ type: "publication-started", release: turn.release.number, web, publication, digest });
      const invalidated = seen?.invalidated === undefined ? {} : { invalidated: seen.invalidated };
      const identity = { journal: turn.release.journal, publication, digest, ...invalidated };
      const published = seen?.published ?? [];
      const begun = await put(pages, seen, { ...identity, state: "publishing", published }, context);
      const objects = await life.read("list-objects", () => new Set(pages.assets()));
      if (!objects.has(digest)) await copyAssets(pages, digest, context);
      context.guard();
      await life.write("copy-page", () => pages.putPage(digest));
      const history = [
        ...published.filter((one) => one.digest !== digest),
        { digest, atMs: context.clock.monotonicMs() },
      ];
      await put(pages, begun, { ...identity, state: "served", published: history }, context);
      await context.record({ type: "publication-settled", web, publication, digest, ...counts });
      return { status: "done" };
    },
    async invalidate(step, turn, context) {
      const pages = pagesOf(turn, step.web);
      const seen = await look(pages);
      if (seen === undefined) throw new Fault("publish-conflict", "the marker is gone");
      const { publication } = seen;
      context.guard();
      const reference = `lockstep-${step.web}-${publication}`;
      const invalidation = await life.write("create-invalidation", () => pages.invalidate(reference));
      while (!(await life.read("describe-invalidation", () => pages.isInvalidated(invalidation)))) {
        await context.clock.sleep(POLL_MS, context.signal);
      }
      if (seen.invalidated !== publication) await put(pages, seen, { ...seen, invalidated: publication }, context);
      await context.record({ type: "invalidated", web: step.web, publication, invalidation });
      return { status: "done" };
    },
    async prune(step, turn, context) {
      const pages = pagesOf(turn, step.web);
      const keep = turn.environment.webs.find(({ name }) => name === step.web)?.keep ?? 1;
      const seen = await look(pages);
      const objects = await life.read("list-objects", () => [...pages.assets()]);
      const published = seen?.published ?? [];
      const recent = published.filter((one) => one.atMs > context.clock.monotonicMs() - DAY_MS);
      const kept = new Set([...published.slice(-keep), ...recent].map(({ digest }) => digest));
      // Only what our own publications list is ever deleted.
      const ours = new Set(published.map(({ digest }) => digest));
      const old = objects.filter((digest) => ours.has(digest) && !kept.has(digest) && digest !== seen?.digest);
      context.guard();
      await life.write("delete-objects", () => pages.deleteAssets(old));
      return { status: "done" };
    },
  };
}
