// What Azure would refuse of an app that is given as azure-native takes it: no container, no image, a name that is
// missing or there twice, the name of a secret or a volume that does not exist, and no environment. A preview refuses
// each by the argument's name.
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { hole } from "../../components/canary-app/known-parts.ts";
import { lacks, misuses } from "../../components/canary-app/misuse.ts";
import { complaintOf } from "../../engines/problem.ts";
import { type Values, validArguments } from "../support/program/component-arguments.ts";

const image = "example.azurecr.io/shop:1";
const of = (container: Values, more: Values = {}): Values => ({
  template: { containers: [{ name: "shop", image, ...container }], ...more },
});
const secrets = [{ name: "key", value: "hunter2" }];
const absent = 'names the secret "kye", which does not exist: configuration.secrets has';

const wrong: readonly (readonly [Values, string])[] = [
  [of({ image: undefined }), "template.containers[0].image: it is missing; it must be an image's name"],
  [of({ image: "" }), "template.containers[0].image: it must be an image's name"],
  [of({ image: "a b" }), "template.containers[0].image: it must be an image's name"],
  [of({}, { initContainers: [{ name: "migrate" }] }), "template.initContainers[0].image: it is missing"],
  [{ template: { containers: [] } }, "template.containers: it must have at least one container"],
  [{ template: { containers: { name: "shop", image } } }, "template.containers: it must be a list of objects"],
  [{ template: { containers: [image] } }, "template.containers[0]: it must be an object"],
  [of({ env: { KEY: "1" } }), "template.containers[0].env: it must be a list of objects"],
  [of({}, { volumes: ["v"] }), "template.volumes[0]: it must be an object"],
  [{ ...of({}), configuration: { secrets: { key: "hunter2" } } }, "configuration.secrets: it must be a list"],
  [{ ...of({}), configuration: { registries: "a.io" } }, "configuration.registries: it must be a list"],
  [
    of({
      env: [
        { name: "A", value: "1" },
        { name: "KEY", secretRef: "kye" },
      ],
    }),
    `template.containers[0].env[1].secretRef: it ${absent} none`,
  ],
  [
    { ...of({ env: [{ name: "KEY", secretRef: "kye" }] }), configuration: { secrets } },
    `template.containers[0].env[0].secretRef: it ${absent} key.`,
  ],
  [
    of({}, { volumes: [{ name: "v", secrets: [{ secretRef: "kye" }] }] }),
    "template.volumes[0].secrets[0].secretRef: it",
  ],
  [
    { ...of({}), configuration: { registries: [{ server: "a.io", username: "u", passwordSecretRef: "kye" }] } },
    "configuration.registries[0].passwordSecretRef: it",
  ],
  // What JavaScript makes of a variable that is not set.
  ...["shop:undefined", "shop:", "shop@null", "a.io/undefined", "https://a.io/shop:1"].map(
    (given) => [of({ image: given }), "template.containers[0].image: it must be an image's name"] as const,
  ),
  ...["azureQueue", "custom", "http", "tcp"].map(
    (kind) =>
      [
        of({}, { scale: { rules: [{ name: "q", [kind]: { auth: [{ secretRef: "kye" }] } }] } }),
        `template.scale.rules[0].${kind}.auth[0].secretRef: it ${absent} none`,
      ] as const,
  ),
  [of({}, { scale: { rules: { name: "q" } } }), "template.scale.rules: it must be a list of objects"],
  [of({ name: undefined }), "template.containers[0].name: it must be a name."],
  [of({}, { initContainers: [{ name: "shop", image }] }), 'template.initContainers[0].name: it is "shop", which is'],
  [of({ env: [{ value: "1" }] }), "template.containers[0].env[0].name: it must be a name."],
  [of({ env: [{ name: "A" }, { name: "a" }, { name: "A" }] }), 'template.containers[0].env[2].name: it is "A", which'],
  [of({ volumeMounts: ["/files"] }), "template.containers[0].volumeMounts[0]: it must be an object"],
  [
    of({ volumeMounts: [{ volumeName: "flies", mountPath: "/f" }] }, { volumes: [{ name: "files" }] }),
    'template.containers[0].volumeMounts[0].volumeName: it names the volume "flies", which does not exist: ' +
      "template.volumes has files.",
  ],
  ...[
    [[...secrets, ...secrets], '[1].name: it is "key", which is the name of another one.'],
    [[{ value: "hunter2" }], "[0].name: it must be a name."],
    [[{ name: "key" }], "[0].value: it is missing or empty."],
    [[{ name: "key", value: "" }], "[0].value: it is missing or empty."],
    [[{ name: "key", keyVaultUrl: "https://v" }], "[0].identity: it is missing"],
    [
      [{ name: "key", keyVaultUrl: "https://v", identity: "i", value: "x" }],
      "[0]: it has both a value and keyVaultUrl",
    ],
  ].map(([given, says]) => [{ ...of({}), configuration: { secrets: given } }, `configuration.secrets${says}`] as const),
];
const environment = "environmentId: it is missing; it must be the id of the app's environment.";
const containers = "template.containers: it is missing; it must have at least one container.";
const isHole = (value: unknown): boolean => value === hole;
const said = (usable: Values): readonly string[] => misuses(usable, isHole).map(complaintOf);

describe("an app", () => {
  test.each(wrong)("%j is refused by name", (usable, says) => {
    expect(said(usable)).toEqual([expect.stringContaining(says)]);
    const args = { ...validArguments.CanaryApp, configuration: undefined, ...usable } as unknown as CanaryAppArgs;
    expect(() => new CanaryApp("shop", args)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /^component-arguments-refused .*CanaryApp "shop": .*correct .* in new CanaryApp\("shop", …\)/s,
        ),
      }),
    );
  });

  test.each([
    [["configuration.secrets"], []],
    [["configuration"], []],
    [["*"], []],
    [
      ["tags", "configuration.ingress"],
      ["secrets[0].value: it is missing", `secretRef: it ${absent} key`],
    ],
  ])("that ignores %j is refused for nothing that the state decides", (ignored, says) => {
    const usable = {
      ...of({ env: [{ name: "KEY", secretRef: "kye" }] }),
      configuration: { secrets: [{ name: "key" }] },
    };
    expect(misuses(usable, isHole, ignored).map(complaintOf)).toEqual(
      says.map((each) => expect.stringContaining(each)),
    );
  });

  test("is not refused for what is not known yet, nor for secrets that it keeps", () => {
    const named = of({ env: [{ name: "KEY", secretRef: "key" }] });
    for (const usable of [
      { template: hole },
      { template: { containers: hole } },
      { template: { containers: [hole] } },
      of({ image: hole }),
      { ...named, configuration: hole },
      { ...named, configuration: { secrets: hole } },
      { ...named, configuration: { secrets: [hole] } },
      { ...named, configuration: { secrets: [{ name: hole, value: hole }] } },
      { ...named, configuration: { secrets } },
      of({ env: [{ name: hole }, { name: hole }], volumeMounts: [{ volumeName: "f" }] }, { volumes: [{ name: hole }] }),
      { ...of({}), configuration: { secrets: [{ name: "a", value: hole }] } },
      { ...of({}), configuration: { secrets: [{ name: "b", keyVaultUrl: hole, identity: hole }] } },
      { ...named, keepLive: ["secretsByReference"] },
      of({
        env: [
          { name: "KEY", secretRef: hole },
          { name: "A", secretRef: undefined },
        ],
      }),
    ])
      expect(said(usable)).toEqual([]);
    const later = { ...validArguments.CanaryApp, ...of({ image: pulumi.output(image) }) } as unknown as CanaryAppArgs;
    expect(misuses(later, pulumi.Output.isInstance)).toEqual([]);
  });

  test.each([
    ["neither", {}, [], [environment, containers]],
    ["no environment", of({}), [], [environment]],
    ["an environment of no name", { ...of({}), environmentId: "", managedEnvironmentId: null }, [], [environment]],
    ["one whose changes it ignores", of({}), ["managedEnvironmentId"], []],
    ["ignored tags", of({}), ["tags"], [environment]],
    ["no template", { environmentId: "e" }, [], [containers]],
    ["no containers", { environmentId: "e", template: { scale: {} } }, [], [containers]],
    ["both", { ...of({}), environmentId: "e" }, [], []],
    ["what is not known yet", { template: hole, managedEnvironmentId: hole }, [], []],
  ])("that says %s is refused for what Azure does not make up", (_what, usable, ignoreChanges, says) => {
    expect(lacks(usable, ignoreChanges, isHole).map(complaintOf)).toEqual(says);
  });

  test("is refused for it at once, and not after a look at the live app", () => {
    const { managedEnvironmentId, ...others } = validArguments.CanaryApp as unknown as CanaryAppArgs;
    expect(() => new CanaryApp("shop", others)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/CanaryApp "shop": environmentId: it is missing/) }),
    );
  });
});
