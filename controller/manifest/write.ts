// Writes a SHA into a manifest by splicing its range of the text, so that the diff is one token and all else survives.
import { isMap, isScalar, LineCounter, type Node } from "yaml";
import { assert } from "../core/assert.ts";
import type { Sha } from "../core/brand.ts";
import { Fault } from "../core/fault.ts";
import { keyText } from "./tree.ts";
import { documentsOf, withoutMark } from "./yaml.ts";

/** `["sha"]`, `["services", "api", "sha"]` or `["web", "site", "sha"]`. */
export type ShaPath = readonly [...string[], "sha"];

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The text with the SHA at `path` replaced. Comments, alignment, quotes, line ends and a byte order mark stay as they
 * are. Fault `manifest-invalid` when no SHA stands there yet, or in a form that is not one token.
 */
export function spliceSha(text: string, path: ShaPath, sha: Sha): string {
  const span = spanOf(text, path);
  if (span === undefined) {
    const name = path.join(".");
    throw new Fault(
      "manifest-invalid",
      `there is no ${name} to replace; write \`${name}:\` with its commit by hand first`,
    );
  }
  const spliced = text.slice(0, span.from) + sha + text.slice(span.to);
  const after = spanOf(spliced, path);
  assert(after !== undefined && spliced.slice(after.from, after.to) === sha, "a spliced SHA reads back");
  return spliced;
}

/** Offsets of the token at a path of keys, without its quotes. */
function spanOf(text: string, path: readonly string[]): Span | undefined {
  const body = withoutMark(text);
  const mark = text.length - body.length;
  const [document, second] = documentsOf(body, new LineCounter());
  if (document === undefined || second !== undefined || document.errors.length > 0) return undefined;
  let node: Node | null | undefined = document.contents;
  for (const key of path) node = below(node, key);
  if (!isScalar(node) || !node.range || node.anchor !== undefined || node.tag !== undefined) return undefined;
  const quotes = node.type === "QUOTE_SINGLE" || node.type === "QUOTE_DOUBLE" ? 1 : 0;
  if (node.type !== "PLAIN" && quotes === 0) return undefined;
  const [from, to] = [node.range[0] + mark + quotes, node.range[1] + mark - quotes];
  return /^[0-9a-fA-F]{7,40}$/.test(text.slice(from, to)) ? { from, to } : undefined;
}

function below(node: Node | null | undefined, key: string): Node | undefined {
  if (!isMap(node)) return undefined;
  const pairs = node.items.filter((pair) => keyText(pair.key) === key);
  const [pair] = pairs;
  return pairs.length === 1 && isScalar(pair?.value) ? pair.value : isMap(pair?.value) ? pair.value : undefined;
}
