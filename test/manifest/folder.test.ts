// A folder as a whole: what is broken stops what depends on it and nothing else.
import { describe, expect, it } from "vitest";
import { problemsOf } from "../../controller/manifest/parse.ts";
import { lines, problemsWith, read, SHA, SMALL } from "./support.ts";

const P = `sha: ${SHA}\n`;

function image(template: string): string {
  return `application: shop\nimage: "${template}"\nservices:\n  api:\n`;
}

describe("a folder", () => {
  it("one bad environment does not stop its siblings", async () => {
    const files = {
      "environments/application.yaml": SMALL,
      "environments/dev.yaml": "sha: [\n",
      "environments/prod.yaml": P,
    };
    const { environments, problems } = await read({ files });
    expect(problems).toEqual([]);
    expect(environments.map(({ name, environment }) => [name, environment?.sha])).toEqual([
      ["dev", undefined],
      ["prod", SHA],
    ]);
  });

  it("a broken application.yaml stops all its environments, and they say why", async () => {
    const files = {
      "environments/application.yaml": `${SMALL}servces: {}\n`,
      "environments/dev.yaml": P,
      "environments/prod.yaml": P,
    };
    const { application, environments } = await read({ files });
    expect(application).toBe("shop");
    for (const { environment, problems } of environments) {
      expect(environment).toBeUndefined();
      expect(lines(problems)).toEqual([
        'application.yaml:5:1 application.yaml is broken: unknown key "servces"; did you mean "services"?',
      ]);
    }
  });

  it("files that look like manifests and cannot be any are problems, others are not", async () => {
    const files = {
      "environments/application.yaml": SMALL,
      "environments/prod.yaml": P,
      "environments/dev.yml": P,
      "environments/QA.YAML": P,
      "environments/Dev.yaml": P,
      "environments/README.md": "x",
      "environments/a_b.yaml": P,
    };
    const { environments, problems } = await read({ files });
    const name = "(a name is a lower-case letter, then up to 31 lower-case letters, digits and dashes)";
    expect(environments.map((each) => each.name)).toEqual(["prod"]);
    expect(lines(problems)).toEqual([
      `Dev.yaml:1:1 "Dev" is not the name of an environment ${name}`,
      "QA.YAML:1:1 manifests end in .yaml (rename it to QA.yaml)",
      `a_b.yaml:1:1 "a_b" is not the name of an environment ${name}`,
      "dev.yml:1:1 manifests end in .yaml (rename it to dev.yaml)",
    ]);
  });

  it("a pipeline of unknown, missing, doubled and reserved names says so", async () => {
    expect(await problemsWith(`${SMALL}pipeline: [dev, [dev, application]]\n`, P)).toEqual([
      "application.yaml:5:1 pipeline: prod is not in it, so nothing has to be healthy before prod",
      "application.yaml:5:12 pipeline: dev has no file yet (add dev.yaml beside application.yaml)",
      'application.yaml:5:18 pipeline: "dev" stands there twice',
      "application.yaml:5:23 pipeline: no environment can be called application: its file is application.yaml",
      'application.yaml:5:18 application.yaml is broken: pipeline: "dev" stands there twice',
    ]);
  });

  it("a problem shows its source line, and one of application.yaml is said once", async () => {
    const application = image("acme.io/shop:latest");
    const reading = await read({
      files: { "environments/application.yaml": application, "environments/dev.yaml": P, "environments/prod.yaml": P },
    });
    expect(problemsOf(reading)).toMatchObject([{ line: 2, column: 8, excerpt: 'image: "acme.io/shop:latest"' }]);
  });

  it("the content of an environment changes with each file that determines it and with no other", async () => {
    const files = {
      "shop/environments/application.yaml": `${SMALL}    task: api.json\n`,
      "shop/environments/prod.yaml": P,
      "shop/environments/dev.yaml": P,
      "shop/api.json": '{"containerDefinitions":[{"name":"app"}]}',
    };
    const content = async (changed: Readonly<Record<string, string>>): Promise<string | undefined> =>
      (await read({ folder: "shop", files: { ...files, ...changed } })).environments.find(({ name }) => name === "prod")
        ?.content;
    const before = await content({});
    for (const path of [
      "shop/environments/application.yaml",
      "shop/environments/prod.yaml",
      "shop/api.json",
    ] as const) {
      expect(await content({ [path]: `${files[path]} ` })).not.toBe(before);
    }
    expect(await content({ "shop/environments/dev.yaml": `${P} `, "shop/other.json": "{}" })).toBe(before);
  });
});
