// `verify.commits`: whose signature a new head of the configuration repository needs.
import { nodeAt, type Mapping, type Tree } from "../core/merge.ts";
import { parseSigner, type Signer } from "../core/signer.ts";
import { problem, type Problem } from "./problem.ts";
import type { Read } from "./read.ts";
import { nameOf } from "./wording.ts";

const PATH = ["verify", "commits"];

/** Keys that are of the right form and still none; what is of the wrong form the schema says. */
export function signerProblems(raw: Mapping): readonly Problem[] {
  return itemsOf(raw).flatMap((item, index) => {
    const signer = item.kind === "scalar" && typeof item.value === "string" ? parseSigner(item.value) : undefined;
    if (signer === undefined || !("refused" in signer)) return [];
    return [problem(item.at, `${nameOf([...PATH, String(index)])} ${signer.refused}`)];
  });
}

/**
 * The signers of an application.yaml. A file that is broken elsewhere still says them when its list is whole; when it
 * does not, nobody can tell whether it would ask for signatures, and `unreadable` is the answer.
 */
export function signersOf({ manifest, raw }: Read): readonly Signer[] | "unreadable" | undefined {
  const tree = manifest ?? raw;
  const list = tree === undefined ? undefined : nodeAt(tree, PATH);
  if (list === undefined) return manifest === undefined ? "unreadable" : undefined;
  const signers = tree === undefined ? [] : itemsOf(tree).map((item) => parseSigner(text(item)));
  const known = signers.flatMap((signer) => ("refused" in signer ? [] : [signer]));
  return known.length > 0 && known.length === signers.length ? known : "unreadable";
}

function itemsOf(tree: Mapping): readonly Tree[] {
  const list = nodeAt(tree, PATH);
  return list?.kind === "list" ? list.items : [];
}

function text(item: Tree): string {
  return item.kind === "scalar" ? String(item.value) : "";
}
