// YAML text → a tree with positions, refusing whatever makes a document say something else than it seems to.
import { CST, isScalar, Lexer, LineCounter, parseAllDocuments, type Document, type ParsedNode } from "yaml";
import { LIMITS } from "../core/limits.ts";
import type { Mapping, Position, Tree } from "../core/merge.ts";
import { problem, type Problem } from "./problem.ts";
import { DEPTH, treeOf } from "./tree.ts";

export interface Parsed {
  /** Undefined when the text is not one document of YAML; an empty document is an empty mapping. */
  readonly tree?: Tree;
  readonly problems: readonly Problem[];
}

/** Total: whatever the text, what is wrong comes as problems. */
export function parseYaml(file: string, text: string): Parsed {
  const lines = new LineCounter();
  const at = positions(file, lines);
  if (Buffer.byteLength(text) > LIMITS.manifestBytes) {
    const limit = `${LIMITS.manifestBytes / 1024} KiB`;
    return { problems: [problem({ file, line: 1, column: 1 }, `the file is larger than ${limit}`)] };
  }
  const body = withoutMark(text);
  const deep = tooDeep(body);
  if (deep !== undefined) {
    countLines(lines, body);
    return { problems: [problem(at(deep), `nested deeper than ${DEPTH} levels`)] };
  }
  const documents = documentsOf(body, lines);
  const [document] = documents;
  if (document === undefined) return { tree: emptyMapping(at(0)), problems: [] };
  const problems = documents.flatMap((each) => complaints(each, at));
  for (const extra of documents.slice(1)) {
    problems.push(
      problem(at(extra.range[0]), "a second document; a file holds one", "remove `---` and what follows it"),
    );
  }
  if (problems.length > 0) return { problems };
  const { contents } = document;
  if (contents === null || isNothing(contents)) return { tree: emptyMapping(at(0)), problems };
  return treeOf(contents, at);
}

/** The documents of a text without a byte order mark. */
export function documentsOf(text: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  return parseAllDocuments(text, {
    lineCounter,
    version: "1.2",
    schema: "core",
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    strict: true,
    logLevel: "silent",
  });
}

function complaints(document: Document.Parsed, at: (offset: number) => Position): Problem[] {
  const problems = document.errors.map((error) => problem(at(error.pos[0]), yamlMessage(error.message)));
  const { yaml, tags } = document.directives;
  if (yaml.explicit === true || Object.keys(tags).length > 1) {
    problems.push(problem(at(0), "YAML directives (%YAML, %TAG) are not allowed", "remove the line"));
  }
  return problems;
}

/**
 * Offset at which nesting gets too deep. The composer recurses, and V8 ends the whole process when a regular expression
 * is compiled near the end of the stack, so this is counted on tokens, before anything recurses.
 */
function tooDeep(text: string): number | undefined {
  let offset = 0;
  let flow = 0;
  let run = 0;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    if (type === "flow-seq-start" || type === "flow-map-start") flow++;
    else if (type === "flow-seq-end" || type === "flow-map-end") flow = Math.max(0, flow - 1);
    if (type === "seq-item-ind" || type === "explicit-key-ind" || type === "map-value-ind") run++;
    else if (type !== "space") run = 0;
    if (flow > DEPTH || run > DEPTH) return offset;
    // Tokens are pieces of the text, but for the marks that say what comes next.
    if (type !== "doc-mode" && type !== "flow-error-end" && token !== CST.SCALAR) offset += token.length;
  }
  return undefined;
}

function positions(file: string, lines: LineCounter): (offset: number) => Position {
  return (offset) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
}

function countLines(lines: LineCounter, text: string): void {
  lines.addNewLine(0);
  for (const match of text.matchAll(/\n/g)) lines.addNewLine(match.index + 1);
}

/** What stands for a document without content, such as one of comments. */
function isNothing(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null && node.source === "" && node.tag === undefined;
}

function emptyMapping(at: Position): Mapping {
  return { kind: "mapping", at, members: new Map() };
}

/** Without the byte order mark that some editors write. */
export function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function yamlMessage(message: string): string {
  return `not valid YAML: ${message.replaceAll(/\s+/g, " ").slice(0, 200)}`;
}
