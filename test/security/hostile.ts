// Two hundred configuration folders that nobody should have to trust, each wrong in its own place.
import type { Repository } from "../git/repository.ts";
import { SHA, SMALL } from "../manifest/support.ts";

type Content = string | Uint8Array | { readonly link: string } | { readonly submodule: string };

interface Kind {
  /** What `application.yaml` holds; default: the smallest sound one. */
  readonly application?: (name: string) => Content;
  /** What `prod.yaml` holds; default: a sound one. */
  readonly prod?: (name: string) => Content;
  /** Another file of the folder that is wrong, beside those. */
  readonly other?: readonly [string, string];
  /** Where it is wrong, from `environments/` on, and in which words. */
  readonly says: RegExp;
}

const PROD = `sha: ${SHA}\n`;
const DEEP = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
/** Nine levels of nine: 387,420,489 words, if anybody wrote the aliases out. */
const LAUGHS = Array.from({ length: 9 }, (_, level) => {
  const below = level === 0 ? "lol" : `*l${level - 1}`;
  return `x-${level}: &l${level} [${Array<string>(9).fill(below).join(", ")}]\n`;
}).join("");

const small = (name: string): string => SMALL.replaceAll("shop", name);
const raw = (text: string) => (): Content => text;
const beside = (text: string) => (): Content => `${PROD}${text}`;

const KINDS: readonly Kind[] = [
  { application: () => ({ link: "/etc/passwd" }), says: /^application\.yaml:1:1 .*symbolic link/ },
  { prod: () => ({ link: "../../good/environments/prod.yaml" }), says: /^prod\.yaml:1:1 .*symbolic link/ },
  { prod: () => ({ submodule: SHA }), says: /^prod\.yaml:1:1 .*submodule/ },
  { application: () => ({ submodule: SHA }), says: /^application\.yaml:1:1 .*submodule/ },
  { prod: raw(`${PROD}# ${"x".repeat(262_144)}\n`), says: /^prod\.yaml:1:1 .*bytes long/ },
  { prod: () => new Uint8Array([0xff, 0xfe, 0x00]), says: /^prod\.yaml:1:1 .*not UTF-8/ },
  { application: raw(DEEP), says: /^application\.yaml:1:33 nested deeper than 32 levels/ },
  { prod: raw(`x-a: ${DEEP}`), says: /^prod\.yaml:1:38 nested deeper than 32 levels/ },
  { prod: raw("- ".repeat(100_000)), says: /^prod\.yaml:1:65 nested deeper than 32 levels/ },
  { application: (name) => `${small(name)}${LAUGHS}`, says: /^application\.yaml:\d+:\d+ a\w+ [&*]l\d.*not allowed/ },
  { prod: beside(LAUGHS), says: /^prod\.yaml:2:10 anchor &l0: anchors are not allowed/ },
  { prod: beside("x-a: *nobody\n"), says: /^prod\.yaml:2:6 alias \*nobody/ },
  { prod: raw("sha: !!js/function 'process.exit()'\n"), says: /^prod\.yaml:1:20 tag .*tags are not allowed/ },
  { prod: raw("%TAG ! tag:evil,2002:\n---\nsha: 1\n"), says: /^prod\.yaml:1:1 YAML directives/ },
  { prod: beside("---\nsha: 1\n"), says: /^prod\.yaml:2:1 a second document/ },
  { prod: beside(PROD), says: /^prod\.yaml:2:1 duplicate key "sha"/ },
  { prod: beside("__proto__: { hold: { reason: x } }\n"), says: /^prod\.yaml:2:1 unknown key "__proto__"/ },
  { prod: beside("constructor: { prototype: { hold: 1 } }\n"), says: /^prod\.yaml:2:1 unknown key "constructor"/ },
  { prod: beside("services: { __proto__: { count: 1 } }\n"), says: /^prod\.yaml:2:13 "__proto__" is not a valid name/ },
  { prod: beside("services: { api: { __proto__: 1 } }\n"), says: /^prod\.yaml:2:20 unknown key "__proto__"/ },
  { prod: beside("<<: { hold: { reason: x } }\n"), says: /^prod\.yaml:2:1 unknown key "<<"/ },
  { prod: beside("services: { api: { task: ../../../etc/passwd } }\n"), says: /^prod\.yaml:2:26 .*\.\./ },
  { prod: beside("services: { api: { task: /etc/passwd } }\n"), says: /^prod\.yaml:2:26 / },
  { prod: raw("sha: --upload-pack=touch\n"), says: /^prod\.yaml:1:6 sha: "--upload-pack=touch"/ },
  { prod: raw("sha: HEAD\n"), says: /^prod\.yaml:1:6 sha: "HEAD"/ },
  { prod: raw(`sha: ${SHA}\u0000\n`), says: /^prod\.yaml:1:6 / },
  { prod: raw(`sha: "${SHA}\\n"\n`), says: /^prod\.yaml:1:6 / },
  { prod: raw(`sha: ${"0".repeat(40)}\n`), says: /^prod\.yaml:1:6 sha: forty zeros are no commit/ },
  {
    application: (name) => `${small(name)}source: "ext::sh -c touch"\n`,
    prod: raw("sha: 9f2c1ab\n"),
    says: /^prod\.yaml:1:6 .*ext::sh/,
  },
  {
    application: (name) => `${small(name)}source: --upload-pack=x\n`,
    prod: raw("sha: 9f2c1ab\n"),
    says: /^prod\.yaml:1:6 .*--upload-pack=x/,
  },
  {
    prod: beside("services: { api: { health: 'http://169.254.169.254/latest/meta-data' } }\n"),
    says: /^prod\.yaml:2:28 .*169\.254/,
  },
  { prod: beside("services: { api: { health: 'file:///etc/passwd' } }\n"), says: /^prod\.yaml:2:28 / },
  { prod: beside("url: 'javascript:alert(1)'\n"), says: /^prod\.yaml:2:6 url: "javascript:alert\(1\)"/ },
  { prod: beside("aws: { cluster: '{__proto__}' }\n"), says: /^prod\.yaml:2:17 .*\{__proto__\} is not a template/ },
  { prod: beside("aws: { cluster: 'a b; rm -rf' }\n"), says: /^prod\.yaml:2:17 .*is not the name of an ECS cluster/ },
  { prod: beside("services: { api: { count: 1e308 } }\n"), says: /^prod\.yaml:2:27 services\.api\.count/ },
  { prod: beside(`hold: { reason: ${"x".repeat(200_000)} }\n`), says: /^prod\.yaml:2:17 hold\.reason is too long/ },
  { other: ["PROD.yaml", PROD], says: /^PROD\.yaml:1:1 "PROD" is not the name of an environment/ },
  { other: ["prod\u001b[2J.yaml", PROD], says: /^prod.*\.yaml:1:1 .*is not the name of an environment/ },
];

export interface HostileFolder {
  readonly folder: string;
  /** What is said of it: `h001/environments/prod.yaml:1:6 …`. */
  readonly says: RegExp;
  /** Its application.yaml and prod.yaml are sound. */
  readonly beside: boolean;
}

/** Writes so many folders into the repository's index and work tree; `commit` of the repository commits them. */
export function writeHostile(repository: Repository, count: number): readonly HostileFolder[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = KINDS[index % KINDS.length];
    const folder = `h${String(index).padStart(3, "0")}`;
    if (kind === undefined) throw new Error("there is no kind");
    const { application = small, prod = () => PROD, other, says } = kind;
    write(repository, `${folder}/environments/application.yaml`, application(folder));
    write(repository, `${folder}/environments/prod.yaml`, prod(folder));
    if (other !== undefined) write(repository, `${folder}/environments/${other[0]}`, other[1]);
    return {
      folder,
      says: new RegExp(`^${folder}/environments/${says.source.slice(1)}`, says.flags),
      beside: other !== undefined,
    };
  });
}

function write(repository: Repository, path: string, content: Content): void {
  if (typeof content === "string" || content instanceof Uint8Array) repository.write(path, content);
  else if ("link" in content) repository.link(path, content.link);
  else repository.git(["update-index", "--add", "--cacheinfo", `160000,${content.submodule},${path}`]);
}
