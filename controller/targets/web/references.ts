// What an index.html loads from its own site: how a release without `lockstep.json` shows that it is incomplete.

const COMMENT = "<!--";

/** Link relations that fetch something the page needs; `canonical`, `alternate`, `preconnect` and the like do not. */
const LOADS = new Set(["stylesheet", "modulepreload", "preload", "prefetch", "icon", "manifest", "apple-touch-icon"]);

/** Elements whose text is not markup. */
const RAW = new Set(["script", "style", "template", "textarea", "title", "noscript"]);

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/**
 * Keys that the page loads: `src` of any element, `href` of `<link>`. Pages it merely leads to (`<a href>`) may be routes
 * of a single-page application, and no files. One entry per reference: the keys any of which satisfies it, because a
 * site under a prefix may be addressed with or without it.
 */
export function references(html: string, prefix: string): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  let base = new URL("https://site.invalid/");
  for (const { name, attributes } of tags(html)) {
    if (name === "base") base = parse(attributes.get("href") ?? "", base) ?? base;
    const reference = name === "link" ? linked(attributes) : attributes.get("src");
    const url = reference === undefined || reference.trim() === "" ? undefined : parse(reference, base);
    if (url === undefined || url.origin !== "https://site.invalid") continue;
    const path = decode(url.pathname).slice(1);
    const file = path === "" || path.endsWith("/") ? `${path}index.html` : path;
    found.set(file, file.startsWith(prefix) && prefix !== "" ? [file, file.slice(prefix.length)] : [file]);
  }
  return [...found.values()];
}

function linked(attributes: ReadonlyMap<string, string>): string | undefined {
  const relations = (attributes.get("rel") ?? "").toLowerCase().split(/\s+/);
  return relations.some((relation) => LOADS.has(relation)) ? attributes.get("href") : undefined;
}

function parse(reference: string, base: URL): URL | undefined {
  try {
    return new URL(reference, base);
  } catch {
    // What is no address loads nothing.
    return undefined;
  }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Start tags in order. Reads each character once; text inside of comments, scripts and the like is passed over. */
function* tags(html: string): Generator<Tag> {
  let at = 0;
  for (;;) {
    at = html.indexOf("<", at);
    if (at < 0) return;
    if (html.startsWith(COMMENT, at)) {
      const end = html.indexOf("-->", at + COMMENT.length);
      if (end < 0) return;
      at = end + 3;
      continue;
    }
    const name = /^[a-z][a-z0-9-]*/i.exec(html.slice(at + 1, at + 65))?.[0].toLowerCase();
    if (name === undefined) {
      at += 1;
      continue;
    }
    const { attributes, end } = readAttributes(html, at + 1 + name.length);
    yield { name, attributes };
    at = RAW.has(name) ? closing(html, name, end) : end;
  }
}

function closing(html: string, name: string, from: number): number {
  const pattern = new RegExp(`</${name}[\\s/>]`, "gi");
  pattern.lastIndex = from;
  return pattern.exec(html)?.index ?? html.length;
}

const ATTRIBUTE = /\s*(?:([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?|[/"'=])/y;

function readAttributes(html: string, from: number): { attributes: ReadonlyMap<string, string>; end: number } {
  const attributes = new Map<string, string>();
  ATTRIBUTE.lastIndex = from;
  let end = from;
  for (let match = ATTRIBUTE.exec(html); match !== null; match = ATTRIBUTE.exec(html)) {
    end = ATTRIBUTE.lastIndex;
    const [, name, double, single, bare] = match;
    if (name !== undefined) attributes.set(name.toLowerCase(), entities(double ?? single ?? bare ?? ""));
  }
  const close = html.indexOf(">", end);
  return { attributes, end: close < 0 ? html.length : close + 1 };
}

function entities(text: string): string {
  return text.replaceAll("&amp;", "&").replaceAll("&#x2F;", "/").replaceAll("&#47;", "/");
}
