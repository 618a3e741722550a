// Task files: what is read, what is ignored, what is refused, and that no value of them is ever shown.
import { describe, expect, it } from "vitest";
import { readTaskFile } from "../../controller/manifest/tasks.ts";
import { file, lines, problemsWith, prodOf, read, SHA, SMALL } from "./support.ts";

const P = `sha: ${SHA}\n`;
const APP = '{"name":"app","image":"x"}';

function problems(text: string): string[] {
  return lines(readTaskFile(file("api.json", text)).problems);
}

describe("a task file", () => {
  it("is taken as it stands, without what only AWS sets", () => {
    const described = `{"containerDefinitions":[${APP}],"cpu":"256","revision":7,"status":"ACTIVE","taskDefinitionArn":"a","registeredAt":1,"registeredBy":"b","requiresAttributes":[],"compatibilities":["EC2"],"deregisteredAt":2,"deleteRequestedAt":3}`;
    const task = readTaskFile(file("api.json", described));
    expect(task.problems).toEqual([]);
    expect(task.definition).toEqual({ containerDefinitions: [{ name: "app", image: "x" }], cpu: "256" });
    expect(task.containers).toEqual(["app"]);
  });

  it.each<[string, string, string[]]>([
    [
      "a comma too many",
      '{\n  "cpu": "256",\n}',
      ["api.json:3:1 not valid JSON (a task file is JSON in RegisterTaskDefinition form)"],
    ],
    [
      "YAML that is not JSON",
      "cpu: 256\n",
      ["api.json:1:1 not valid JSON (a task file is JSON in RegisterTaskDefinition form)"],
    ],
    ["a list", "[]", ["api.json:1:1 a task definition is a JSON object"]],
    [
      "the answer of DescribeTaskDefinition",
      '{"taskDefinition":{}}',
      [
        "api.json:1:2 this is the answer of DescribeTaskDefinition (keep what stands in `taskDefinition`: RegisterTaskDefinition has no such key)",
      ],
    ],
    [
      "a key AWS does not know",
      `{\n  "enviroment": "secret",\n  "memmory": "512",\n  "containerDefinitions": [${APP}]\n}`,
      [
        'api.json:2:3 unknown key "enviroment" in a task definition (keys are those of RegisterTaskDefinition)',
        'api.json:3:3 unknown key "memmory" in a task definition; did you mean "memory"? (keys are those of RegisterTaskDefinition)',
      ],
    ],
    ["no containers", "{}", ["api.json:1:1 containerDefinitions must be a list with a container"]],
    [
      "containers without names, and twice the same",
      `{"containerDefinitions":[${APP},{"image":"secret"},${APP}]}`,
      ["api.json:1:53 a container has no name", 'api.json:1:72 two containers are called "app"'],
    ],
  ])("%s is refused", (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it("of a symbolic link is not read", () => {
    const link = { path: "api.json", mode: "120000", id: "1" };
    expect(lines(readTaskFile(link).problems)).toEqual([
      "api.json:1:1 the file is not read: it is a symbolic link (commit a plain text file in UTF-8)",
    ]);
  });
});

describe("`task:` in a manifest", () => {
  it("is relative to the folder that holds environments/, templates expanded", async () => {
    const files = {
      "shop/environments/application.yaml": `${SMALL}    task: ecs/{service}.{env}.json\n`,
      "shop/environments/prod.yaml": P,
    };
    const asked: (readonly string[])[] = [];
    const definition = file("shop/ecs/api.prod.json", `{"containerDefinitions":[${APP}]}`);
    const reading = await read(
      { folder: "shop", files },
      {
        files: (paths) => {
          asked.push(paths);
          return Promise.resolve([definition]);
        },
      },
    );
    expect(asked).toEqual([["shop/ecs/api.prod.json"]]);
    expect(reading.environments[0]?.environment?.services[0]?.task).toEqual({
      kind: "file",
      path: "shop/ecs/api.prod.json",
      definition: { containerDefinitions: [{ name: "app", image: "x" }] },
    });
  });

  it.each([
    ["../x.json", '"../x.json" is not a path below the folder that holds environments/'],
    ["/x.json", '"/x.json" is not a path below the folder that holds environments/'],
    ["a//x.json", '"a//x.json" is not a path below the folder that holds environments/'],
    ["a\\x.json", '"a\\\\x.json" is not a path below the folder that holds environments/'],
    ["x.yaml", '"x.yaml" is not a .json file'],
    ["x.json", "x.json is not in the repository (it is relative to the folder that holds environments/)"],
    ["{sha}.json", "{sha} has no meaning here"],
  ])("%s is refused", async (path, why) => {
    expect(await problemsWith(`${SMALL}    task: '${path}'\n`, P)).toEqual([
      `application.yaml:5:11 services.api.task: ${why}`,
    ]);
  });

  it("names a container that its file has", async () => {
    const files = { "api.json": `{"containerDefinitions":[${APP}]}` };
    expect(await problemsWith(`${SMALL}    task: api.json\n    container: web\n`, P, { files })).toEqual([
      'application.yaml:6:16 services.api.container: api.json has no container "web" (containers: app)',
    ]);
  });

  it("problems of its file stop the environments that use it", async () => {
    expect(await problemsWith(`${SMALL}    task: api.json\n`, P, { files: { "api.json": "{}" } })).toEqual([
      "api.json:1:1 containerDefinitions must be a list with a container",
    ]);
  });

  it("may name a family", async () => {
    const found = await prodOf(`${SMALL}    task: { family: "shop-{service}-{env}" }\n`, P);
    expect(found.services[0]?.task).toEqual({ kind: "family", family: "shop-api-prod" });
    expect(await problemsWith(`${SMALL}    task: { family: a b }\n`, P)).toEqual([
      'application.yaml:5:21 services.api.task.family: "a b" is not a family of task definitions',
    ]);
  });
});
