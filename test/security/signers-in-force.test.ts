// Which list of signers counts: the one in force, so that no commit lets itself in; and what halting leaves as it was.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createReadManifests } from "../../controller/compose/manifests.ts";
import { createSystemClock } from "../../controller/compose/clock.ts";
import type { Event } from "../../controller/core/event.ts";
import { parseSigner } from "../../controller/core/signer.ts";
import { createBus } from "../../controller/engine/bus.ts";
import type { RepositoryLook } from "../../controller/engine/repository.ts";
import { createRepository } from "../../controller/engine/repository.ts";
import { createMemoryJournal } from "../../controller/journal/memory.ts";
import type { Journal, Source } from "../../controller/ports.ts";
import type { Repository } from "../git/repository.ts";
import { mirror, removeFolders, repository, signal } from "../git/repository.ts";
import { problemsWith, SMALL } from "../manifest/support.ts";
import type { SigningKey } from "./keys.ts";
import { commitAs, HAS_SSH, listing, sshKey } from "./keys.ts";

afterAll(removeFolders);

const A = "a".repeat(40);
const B = "b".repeat(40);
const BY = { actor: "ada", reason: "looked at it" };

/** The engine's view of a repository, as one life of a controller has it. */
function watch(source: Source, journal: Journal) {
  const events: Event[] = [];
  const bus = createBus([]);
  bus.subscribe((event) => void events.push(event));
  const read = createReadManifests({ ofShas: () => source }, () => ({ defaultRegion: "eu-west-1" }));
  const watched = createRepository({ source, read, journal, bus, clock: createSystemClock(), writer: "w" });
  return {
    watched,
    events,
    /** Environments with what is wished and whether they are halted, and why the repository is. */
    look: async () => {
      const look = await watched.look(signal);
      await look?.commit();
      return { ...summary(look), why: watched.state().halted, trouble: watched.state().trouble };
    },
  };
}

function summary(look: RepositoryLook | undefined) {
  const wishes = [...(look?.wishes ?? [])].map(([id, { desired, halted }]) => {
    return `${id} ${desired?.sha.slice(0, 1) ?? "?"}${halted === undefined ? "" : " halted"}`;
  });
  return { wishes, problems: look?.problems ?? [] };
}

function open(made: Repository) {
  const journal = createMemoryJournal();
  const source = mirror(made.path);
  return { ...watch(source, journal), again: () => watch(source, journal) };
}

describe.runIf(HAS_SSH)("A head that lacks a signature", () => {
  let ada: SigningKey;
  let bob: SigningKey;
  let eve: SigningKey;
  beforeAll(() => {
    ada = sshKey("ed25519");
    bob = sshKey("ed25519");
    eve = sshKey("ed25519");
  });

  /** One application at the root that lists ada, followed already. */
  async function guarded() {
    const made = repository();
    made.write("environments/application.yaml", listing(SMALL, [ada.public]));
    made.write("environments/prod.yaml", `sha: ${A}\n`);
    commitAs(made, "begin", ada);
    const opened = open(made);
    expect(await opened.look()).toMatchObject({ wishes: ["shop/prod a"], why: undefined });
    return { made, ...opened };
  }

  test("halts the repository with the reason, and what was in force stays", async () => {
    const { made, look, events, again } = await guarded();
    made.write("environments/prod.yaml", `sha: ${B}\n`);
    const unsigned = commitAs(made, "bump");
    const halted = await look();
    expect(halted).toMatchObject({ wishes: ["shop/prod a halted"], problems: [] });
    expect(halted.why).toBe(
      `commit ${unsigned.slice(0, 7)} is not signed; environments/application.yaml lists who may sign (verify.commits); push a commit signed by one of them, or \`lockstep accept ${unsigned}\` takes it`,
    );
    expect(await look()).toEqual(halted);
    expect(await again().look()).toEqual(halted);
    const journaled = events.filter((event) => event.durable && event.record.event.type === "halted");
    expect(journaled).toHaveLength(1);
    commitAs(made, "the same, signed", ada);
    expect(await look()).toMatchObject({ wishes: ["shop/prod b"], why: undefined });
  });

  test("may be taken by a person, once and by name", async () => {
    const { made, look, watched } = await guarded();
    made.write("environments/prod.yaml", `sha: ${B}\n`);
    const head = commitAs(made, "bump", eve);
    expect((await look()).why).toContain("is signed by an unknown key SHA256:");
    expect(await watched.accept(A, BY)).toBe(false);
    expect(await watched.accept(head, BY)).toBe(true);
    expect(await look()).toMatchObject({ wishes: ["shop/prod b"], why: undefined });
    commitAs(made, "more", eve);
    expect((await look()).why).toContain("is signed by an unknown key");
  });

  test("cannot add its own signer, nor drop the list; a listed one can do both", async () => {
    const { made, look } = await guarded();
    for (const text of [listing(SMALL, [ada.public, eve.public]), listing(SMALL, [eve.public]), SMALL]) {
      made.write("environments/application.yaml", text);
      commitAs(made, "let me in", eve);
      expect((await look()).why).toContain("is signed by an unknown key");
    }
    made.write("environments/application.yaml", listing(SMALL, [ada.public, bob.public]));
    commitAs(made, "welcome", ada);
    expect((await look()).why).toBeUndefined();
    made.write("environments/application.yaml", SMALL);
    commitAs(made, "goodbye", bob);
    expect((await look()).why).toBeUndefined();
    commitAs(made, "anybody");
    expect((await look()).why).toBeUndefined();
  });

  test("cannot get rid of the list by breaking, moving or removing its file; nor can a listed one by breaking it", async () => {
    const { made, look } = await guarded();
    made.write("environments/application.yaml", "application: [\n");
    commitAs(made, "broken by eve", eve);
    expect((await look()).why).toContain("is signed by an unknown key");
    const broken = commitAs(made, "broken by ada", ada);
    expect((await look()).why).toBe(
      `environments/application.yaml cannot be read at ${broken.slice(0, 7)}, so nobody knows who may sign what follows (verify.commits); correct it`,
    );
    made.write("environments/application.yaml", listing(`${SMALL}serviecs: {}\n`, [ada.public]));
    commitAs(made, "broken, but for its list", ada);
    expect((await look()).why).toBeUndefined();
    commitAs(made, "on top of that", eve);
    expect((await look()).why).toContain("is signed by an unknown key");
    made.git(["mv", "environments", "elsewhere"]);
    commitAs(made, "away", eve);
    expect((await look()).why).toContain("is signed by an unknown key");
  });

  test("at first contact is held to its own list, and nothing is wished for until it is signed", async () => {
    const made = repository();
    made.write("environments/application.yaml", listing(SMALL, [ada.public]));
    made.write("environments/prod.yaml", `sha: ${A}\n`);
    const head = commitAs(made, "begin");
    const { look, watched } = open(made);
    const halted = await look();
    expect(halted).toMatchObject({ wishes: [], problems: [halted.why] });
    expect(halted.why).toContain(`commit ${head.slice(0, 7)} is not signed`);
    expect(await watched.accept(head, BY)).toBe(true);
    expect(await look()).toMatchObject({ wishes: ["shop/prod a"], why: undefined });
  });

  test("is told as well when it also rewrites history", async () => {
    const { made, look } = await guarded();
    made.git(["checkout", "--quiet", "--orphan", "other"]);
    commitAs(made, "begin anew");
    made.git(["branch", "--force", "main", "other"]);
    expect((await look()).why).toMatch(
      /^history of main was rewritten: .*; what is more, commit [0-9a-f]{7} is not signed/,
    );
  });

  test("must satisfy every list of the repository", async () => {
    const { made, look } = await guarded();
    made.write(
      "blog/environments/application.yaml",
      listing(SMALL.replaceAll("shop", "blog"), [bob.public, ada.public]),
    );
    made.write("blog/environments/prod.yaml", `sha: ${A}\n`);
    commitAs(made, "a second application", ada);
    expect((await look()).why).toBeUndefined();
    commitAs(made, "by one of the second", bob);
    expect((await look()).why).toContain("environments/application.yaml lists who may sign");
    commitAs(made, "by one of both", ada);
    expect((await look()).why).toBeUndefined();
  });

  test("does not matter where nobody lists signers, also beside a broken application", async () => {
    const made = repository();
    made.write("environments/application.yaml", SMALL);
    made.write("environments/prod.yaml", `sha: ${A}\n`);
    made.write("broken/environments/application.yaml", "{");
    commitAs(made, "begin");
    const { look } = open(made);
    expect((await look()).wishes).toEqual(["shop/prod a"]);
    made.write("environments/prod.yaml", `sha: ${B}\n`);
    commitAs(made, "bump");
    expect(await look()).toMatchObject({ wishes: ["shop/prod b"], why: undefined, trouble: undefined });
  });
});

describe("A key in verify.commits", () => {
  const ED = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
  const NO_KEY = "is no ssh-ed25519 key: copy the whole line of the .pub file";

  test.each([
    [`ssh-ed25519 ${ED} ada@example.com`, undefined],
    [`ssh-ed25519 ${ED}`, undefined],
    ["ssh-ed25519 x", NO_KEY],
    [`ssh-ed25519 ${ED.slice(0, -4)}`, NO_KEY],
    [`ssh-ed25519 ${ED}AAAA`, NO_KEY],
    [`ssh-rsa ${ED}`, "says ssh-rsa, and its key is of another type"],
    [
      "ssh-dss AAAAB3NzaC1kc3M=",
      "is neither an SSH public key (`ssh-ed25519 AAAA… name`) nor an armored GPG public key",
    ],
    ["-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEYmFzZTY0\n-----END PGP PUBLIC KEY BLOCK-----", undefined],
    [
      "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nQUFB\n-----END PGP PUBLIC KEY BLOCK-----",
      "is no GPG public key as `gpg --armor --export` prints it",
    ],
    ["-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key: take it out, renew it, and list its public key"],
  ])("%j", (text, refused) => {
    expect(parseSigner(text)).toEqual(
      refused === undefined ? expect.objectContaining({ kind: expect.anything() }) : { refused },
    );
  });

  test.runIf(HAS_SSH)("must be long enough", () => {
    expect(parseSigner(sshKey("rsa", 1024).public)).toEqual({
      refused: "is an RSA key of 1024 bits; at least 2048 are needed",
    });
  });

  test("that is none is a problem with its place, and stops the application", async () => {
    const text = `${SMALL}verify:\n  commits:\n    - ssh-ed25519 ${ED}\n    - ssh-ed25519 AAAA\n`;
    expect(await problemsWith(text, `sha: ${A}\n`)).toEqual([
      "application.yaml:8:7 verify.commits[1] is no ssh-ed25519 key: copy the whole line of the .pub file",
      expect.stringContaining("application.yaml is broken"),
    ]);
  });
});
