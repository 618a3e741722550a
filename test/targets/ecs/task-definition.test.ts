// Rendering a task definition: which container, what is left out, and when two contents are the same.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Digest } from "../../../controller/core/brand.ts";
import {
  canonicalForm,
  changedKeys,
  chooseContainer,
  contentOf,
  imageDigest,
  render,
  type Template,
  type Wanted,
} from "../../../controller/targets/ecs/task-definition.ts";

const DIGEST = Digest.parse(`sha256:${"1".repeat(64)}`);
const IMAGE = { registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", repository: "shop/api", tag: "x" };
const WANTED: Wanted = {
  family: "lockstep-shop-prod-api",
  subject: "service api",
  name: "api",
  image: IMAGE,
  digest: DIGEST,
};

function template(...containers: readonly object[]): Template {
  return { definition: { family: "shop-api", containerDefinitions: containers }, tags: [], origin: "family:shop-api" };
}

describe("a template that cannot be used", () => {
  it.each([
    [
      "has no containers",
      { definition: {}, tags: [], origin: "file:ecs/api.json" },
      /file:ecs\/api.json has no containerDefinitions/,
    ],
    ["has a container without a name", template({ image: "x" }), /container without a name/],
    [
      "leaves open which container is meant",
      template({ name: "a", image: "x" }, { name: "b", image: "y" }),
      /one of a, b/,
    ],
    [
      "has two containers of the image",
      template(
        { name: "a", image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api:1" },
        { name: "b", image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api@sha256:2" },
      ),
      /one of a, b/,
    ],
  ])("is refused when it %s", (_, given, message) => {
    expect(() => render(given, WANTED)).toThrow(message);
  });

  it("is refused when it lacks the container that the manifest names", () => {
    expect(() => render(template({ name: "a" }), { ...WANTED, container: "web" })).toThrow(
      /no container web; it has a/,
    );
  });
});

describe("the container whose image is replaced", () => {
  const [api, app] = [
    { name: "api", image: "x" },
    { name: "app", image: "y" },
  ];
  const ours = { name: "third", image: `${IMAGE.registry}/${IMAGE.repository}:old` };
  it.each([
    ["the one the manifest names", [api, app], "app", "app"],
    ["the one named like the service", [app, api, ours], undefined, "api"],
    ["the only one", [app], undefined, "app"],
    ["the one of the artifact's repository", [app, ours], undefined, "third"],
  ] as const)("is %s", (_, containers, container, expected) => {
    const wanted = container === undefined ? WANTED : { ...WANTED, container };
    expect(chooseContainer(containers, wanted)).toBe(expected);
  });

  it("is not confused by a port in the registry's name", () => {
    const image = { registry: "localhost:5000", repository: "shop/api", tag: "x" };
    const containers = [
      { name: "a", image: "localhost:5000/shop/api" },
      { name: "b", image: "localhost:5000/shop/web:1" },
    ];
    expect(chooseContainer(containers, { ...WANTED, image })).toBe("a");
  });
});

describe("what is registered", () => {
  it("names the image by digest, leaves other containers alone and drops what AWS sets", () => {
    const given = template(
      { name: "api", image: "x", environment: [{ name: "EMPTY", value: "" }] },
      { name: "log", image: "fluent:1" },
    );
    const definition = {
      ...given.definition,
      taskDefinitionArn: "arn",
      revision: 7,
      status: "ACTIVE",
      requiresAttributes: [],
      compatibilities: ["EC2"],
      registeredAt: new Date(0),
      registeredBy: "someone",
      deregisteredAt: new Date(0),
      tags: [],
      cpu: "256",
    };
    const { registration, container } = render({ ...given, definition }, WANTED);
    expect(container).toBe("api");
    expect(registration).toEqual({
      family: "lockstep-shop-prod-api",
      cpu: "256",
      containerDefinitions: [
        { name: "api", image: `${IMAGE.registry}/shop/api@${DIGEST}`, environment: [{ name: "EMPTY", value: "" }] },
        { name: "log", image: "fluent:1" },
      ],
    });
  });

  it("carries a migration's command in an essential container that claims no port of the host", () => {
    const given = template({
      name: "api",
      essential: false,
      command: ["serve"],
      portMappings: [{ containerPort: 80, hostPort: 80 }],
    });
    const { registration } = render(given, { ...WANTED, command: ["migrate"] });
    expect(registration.containerDefinitions?.[0]).toEqual({
      name: "api",
      essential: true,
      command: ["migrate"],
      image: `${IMAGE.registry}/shop/api@${DIGEST}`,
    });
  });
});

describe("content", () => {
  const containers = [
    {
      name: "a",
      environment: [
        { name: "X", value: "1" },
        { name: "Y", value: "" },
      ],
      command: ["one", "two"],
    },
    {
      name: "b",
      secrets: [
        { name: "S", valueFrom: "arn:1" },
        { name: "T", valueFrom: "arn:2" },
      ],
    },
  ];

  it("is the same whatever order AWS echoes its sets in", () => {
    const shuffled = fc.tuple(
      fc.shuffledSubarray(containers, { minLength: 2 }),
      fc.shuffledSubarray(containers[0]?.environment ?? [], { minLength: 2 }),
      fc.shuffledSubarray(containers[1]?.secrets ?? [], { minLength: 2 }),
    );
    fc.assert(
      fc.property(shuffled, ([order, environment, secrets]) => {
        const echoed = order.map((one) => (one.name === "a" ? { ...one, environment } : { ...one, secrets }));
        expect(contentOf({ containerDefinitions: echoed })).toBe(contentOf({ containerDefinitions: containers }));
      }),
    );
  });

  it("is the same with empty lists, empty objects and nulls, at any depth", () => {
    const noise = fc.constantFrom([], {}, null, undefined, { host: {} }, { nested: [] });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^z[a-z]{3}$/), noise), (more) => {
        expect(contentOf({ cpu: "1", ...more, options: more })).toBe(contentOf({ cpu: "1" }));
      }),
    );
  });

  it.each([
    ["an empty environment value", { environment: [{ name: "A", value: "" }] }, { environment: [{ name: "A" }] }],
    ["the order of a command", { command: ["a", "b"] }, { command: ["b", "a"] }],
    [
      "the order of dependsOn",
      { dependsOn: [{ containerName: "a" }, { containerName: "b" }] },
      { dependsOn: [{ containerName: "b" }, { containerName: "a" }] },
    ],
    ["a value", { environment: [{ name: "A", value: "1" }] }, { environment: [{ name: "A", value: "2" }] }],
    ["false", { readonlyRootFilesystem: false }, {}],
  ])("differs by %s", (_, one, other) => {
    expect(contentOf({ containerDefinitions: [one] })).not.toBe(contentOf({ containerDefinitions: [other] }));
  });

  it("has a form that is its own canonical form", () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 4 }), (value) => {
        const form = canonicalForm(value);
        expect(canonicalForm(form)).toEqual(form);
      }),
    );
  });
});

describe("the changes of a template", () => {
  const running = {
    cpu: "256",
    revision: 4,
    containerDefinitions: [
      {
        name: "api",
        image: "x@sha256:1",
        cpu: 0,
        essential: true,
        environment: [
          { name: "B", value: "2" },
          { name: "A", value: "1" },
        ],
        portMappings: [{ containerPort: 80, hostPort: 80, protocol: "tcp" }],
        mountPoints: [],
      },
    ],
  };

  it("are none for the echo of what was registered, but for the image that is replaced anyway", () => {
    const given = {
      cpu: "256",
      containerDefinitions: [
        {
          name: "api",
          image: "x:tag",
          environment: [
            { name: "A", value: "1" },
            { name: "B", value: "2" },
          ],
          portMappings: [{ containerPort: 80 }],
        },
      ],
    };
    expect(changedKeys(running, given, "api")).toEqual([]);
  });

  it("are named by key, never by value", () => {
    const given = {
      cpu: "512",
      containerDefinitions: [
        {
          name: "api",
          image: "x:tag",
          environment: [{ name: "A", value: "secret" }],
          secrets: [{ name: "C", valueFrom: "arn" }],
          portMappings: [{ containerPort: 80 }],
        },
        { name: "log", image: "fluent" },
      ],
    };
    const changes = changedKeys(running, given, "api");
    expect(changes).toEqual(["api.environment.A", "api.environment.B", "api.secrets.C", "cpu", "log.image"]);
    expect(changes.join()).not.toContain("secret,");
  });
});

it("reads the digest of an image only where it is one", () => {
  expect(imageDigest(`r/x@${DIGEST}`)).toBe(DIGEST);
  expect(imageDigest("r/x:tag")).toBeUndefined();
  expect(imageDigest("r/x@sha256:short")).toBeUndefined();
  expect(imageDigest(undefined)).toBeUndefined();
});
