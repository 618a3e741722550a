// Short forms written out, so that merging and reading meet one form only. Total: what is malformed stays as it is.
import type { Mapping, Member, Tree } from "../core/merge.ts";

/** `worker:` → `worker: {}`, `migrate:` → `migrations.migrate`, `health: url` → `{ url }`, `strategy: x` → `{ x: {} }`. */
export function writtenOut(manifest: Mapping): Mapping {
  const members = new Map(manifest.members);
  const migrate = members.get("migrate");
  if (migrate !== undefined) {
    members.delete("migrate");
    members.set("migrations", withMigration(members.get("migrations"), migrate));
  }
  return eachNamed(eachNamed({ ...manifest, members }, "services", service), "web", web);
}

function withMigration(migrations: Member | undefined, migrate: Member): Member {
  if (migrations === undefined) {
    const value: Mapping = { kind: "mapping", at: migrate.key, members: new Map([["migrate", migrate]]) };
    return { key: migrate.key, value };
  }
  if (migrations.value.kind !== "mapping") return migrations;
  // The short form stands for the first of them: it runs before those that are named.
  const members = new Map([["migrate", migrate], ...migrations.value.members]);
  return { ...migrations, value: { ...migrations.value, members } };
}

function service(tree: Tree): Tree {
  if (tree.kind === "scalar" && tree.value === null) return { kind: "mapping", at: tree.at, members: new Map() };
  return change(change(tree, "health", health), "strategy", strategy);
}

function web(tree: Tree): Tree {
  return change(tree, "health", health);
}

function health(tree: Tree): Tree {
  if (tree.kind === "scalar" && typeof tree.value === "string") return wrapped("url", tree);
  return change(tree, "status", (status) =>
    status.kind === "scalar" ? { kind: "list", at: status.at, items: [status] } : status,
  );
}

function strategy(tree: Tree): Tree {
  if (tree.kind !== "scalar" || typeof tree.value !== "string") return tree;
  const nothing: Mapping = { kind: "mapping", at: tree.at, members: new Map() };
  return { kind: "mapping", at: tree.at, members: new Map([[tree.value, { key: tree.at, value: nothing }]]) };
}

function wrapped(key: string, value: Tree): Mapping {
  return { kind: "mapping", at: value.at, members: new Map([[key, { key: value.at, value }]]) };
}

function eachNamed(manifest: Mapping, section: string, rewrite: (tree: Tree) => Tree): Mapping {
  const rewritten = change(manifest, section, (parts) => {
    if (parts.kind !== "mapping") return parts;
    const members = [...parts.members].map(
      ([name, member]) => [name, { ...member, value: rewrite(member.value) }] as const,
    );
    return { ...parts, members: new Map(members) };
  });
  return rewritten.kind === "mapping" ? rewritten : manifest;
}

function change(tree: Tree, key: string, rewrite: (tree: Tree) => Tree): Tree {
  const member = tree.kind === "mapping" ? tree.members.get(key) : undefined;
  if (tree.kind !== "mapping" || member === undefined) return tree;
  const members = new Map(tree.members);
  members.set(key, { ...member, value: rewrite(member.value) });
  return { ...tree, members };
}
