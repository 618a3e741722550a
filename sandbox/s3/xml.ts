// Reads the XML of REST services as trees of strings: nothing guessed, whitespace and every code point kept.
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { AwsError } from "../api.ts";

/** An element is its text or its children by name; a repeated child is a list. */
export type XmlTree = string | XmlElement;
export interface XmlElement {
  readonly [name: string]: XmlTree | readonly XmlTree[] | undefined;
}

// Entities are decoded by hand: the parser bounds the number of expansions, and 1,000 keys with `&` are legal here.
const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  processEntities: false,
  removeNSPrefix: true,
  trimValues: false,
});

const namedEntities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Parses one document; anything else is `MalformedXML`, as S3 words it. */
export function parseXml(body: Uint8Array): { readonly root: string; readonly element: XmlElement } {
  const text = new TextDecoder().decode(body);
  if (text.trim() === "" || XMLValidator.validate(text) !== true) throw malformedXml();
  const document: unknown = parser.parse(text);
  const [entry] = Object.entries(Object(document)).filter(([name]) => name !== "#text");
  if (entry === undefined) throw malformedXml();
  const [root, tree] = entry;
  const read = treeOf(tree);
  return { root, element: typeof read === "string" ? {} : read };
}

export function malformedXml(): AwsError {
  const message = "The XML you provided was not well-formed or did not validate against our published schema";
  return new AwsError("MalformedXML", message, 400);
}

function treeOf(node: unknown): XmlTree {
  if (typeof node === "string") return decodeEntities(node);
  const children: Record<string, XmlTree | readonly XmlTree[]> = {};
  for (const [name, child] of Object.entries(Object(node))) {
    // Text beside children is the indentation of a pretty printer.
    if (name !== "#text") children[name] = Array.isArray(child) ? child.map(treeOf) : treeOf(child);
  }
  return children;
}

function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return namedEntities[name ?? ""] ?? whole;
    },
  );
}

function isList(tree: XmlTree | readonly XmlTree[]): tree is readonly XmlTree[] {
  return Array.isArray(tree);
}

/** The children of that name, however many there are. */
export function childrenOf(element: XmlElement, name: string): readonly XmlTree[] {
  const child = element[name];
  if (child === undefined) return [];
  return isList(child) ? child : [child];
}

/** The first child of that name as an element; an absent or text child is an element without children. */
export function elementOf(element: XmlElement, name: string): XmlElement {
  const [child] = childrenOf(element, name);
  return child === undefined || typeof child === "string" ? {} : child;
}

/** The text of the first child of that name. */
export function textOf(element: XmlElement, name: string): string | undefined {
  const [child] = childrenOf(element, name);
  return typeof child === "string" ? child : undefined;
}
