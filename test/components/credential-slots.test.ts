// A credential with two slots: an update leaves it to the rotation which slot is in use, and where each is.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { cutOverRelease } from "../../engines/rotation/cut-over-names.ts";
import { type Answers, nothingThere, record } from "../support/program/mocks.ts";

const vault = "https://v.vault.azure.net/secrets";
const reference = (name: string, version = "") => ({
  name,
  keyVaultUrl: `${vault}/${name}${version}`,
  identity: "system",
});
const container = (...secrets: readonly string[]) => ({
  name: "web",
  image: "web:1",
  env: secrets.map((secretRef) => ({ name: secretRef.toUpperCase(), secretRef })),
});
const ingress = { external: true, targetPort: 8080, transport: "http" };
const args: CanaryAppArgs = {
  containerAppName: "shop",
  resourceGroupName: "shop",
  environmentId: "apps",
  controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
  credentialSlots: [["db-a", "db-b"]],
  identity: { type: "SystemAssigned" },
  configuration: { ingress, secrets: [reference("db-a"), reference("db-b"), { name: "other", value: "hunter2" }] },
  template: {
    containers: [container("db-a", "other")],
    volumes: [{ name: "files", storageType: "Secret", secrets: [{ secretRef: "db-a", path: "db" }] }],
    scale: { minReplicas: 1, rules: [{ name: "q", custom: { type: "cpu", auth: [{ secretRef: "db-a" }] } }] },
  },
};
const live =
  (...named: readonly string[]): Answers =>
  () => ({
    latestReadyRevisionName: "shop--a",
    template: {
      containers: [container(...named)],
      volumes: [{ name: "files", storageType: "Secret" }],
      scale: { minReplicas: 1, rules: [{ name: "q" }] },
    },
    identity: { type: "SystemAssigned" },
    configuration: {
      activeRevisionsMode: "Multiple",
      secrets: [reference("db-a", "/1"), reference("db-b", "/2"), { name: "other" }],
      ingress: { ...ingress, traffic: [{ revisionName: "shop--a", weight: 100 }] },
    },
  });

async function sentTo(answers: Answers, change: Partial<CanaryAppArgs> = {}): Promise<readonly unknown[]> {
  const all = { ...args, acceptLoss: ["secretsByReference"], ...change } as CanaryAppArgs;
  const { declared } = await record(() => new CanaryApp("shop", all), answers);
  const { configuration, template } = declared.find(({ name }) => name === "shop-app")!.inputs;
  const { containers, volumes, scale } = template;
  const named = [...containers[0].env, ...volumes[0].secrets, ...scale.rules[0].custom.auth];
  return [named.map(({ secretRef }) => secretRef), configuration.value.secrets.map((each: any) => each.keyVaultUrl)];
}
const places = (a: string, b: string) => [`${vault}/db-a${a}`, `${vault}/db-b${b}`, undefined];

test("a new app gets what the program says", async () =>
  expect(await sentTo(nothingThere)).toEqual([["db-a", "other", "db-a", "db-a"], places("", "")]));

test("after a rotation the slot in use is named everywhere, and both slots stay where they are", async () =>
  expect(await sentTo(live("db-b", "other"))).toEqual([["db-b", "other", "db-b", "db-b"], places("/1", "/2")]));

test("the slot that the program names is sent if the live app names it, or names both or none", async () => {
  for (const named of [["db-a"], ["db-a", "db-b"], []])
    expect((await sentTo(live(...named, "other")))[0]).toEqual(["db-a", "other", "db-a", "db-a"]);
});

test("outputs are changed in the same way", async () => {
  const { configuration, template } = args;
  for (const change of [
    { template: pulumi.output(template), configuration: pulumi.output(configuration) },
    { template: { ...(template as object), containers: pulumi.output([container("db-a", "other")]) } },
  ])
    expect(await sentTo(live("db-b", "other"), change as Partial<CanaryAppArgs>)).toEqual([
      ["db-b", "other", "db-b", "db-b"],
      places("/1", "/2"),
    ]);
});

const naming = (...secrets: readonly string[]) => ({
  name: "web",
  image: "web:1",
  env: secrets.map((each) => ({ name: each.replace(/-[ab]/, ""), secretRef: each })),
});
/** An app whose latest revision a rotation of `db` made; Azure shows the suffix in the template too. */
const withRotation =
  (serving: string, named: readonly string[], made: object = { release: cutOverRelease("db", "b") }): Answers =>
  (...asked) => {
    if (asked[0] === "ballast:index:releaseOf") return asked[1]["revision"] === "shop--b-r1-1" ? made : {};
    const found = live("db-b", "other")(...asked) as { readonly configuration: object };
    const template = { containers: [naming(...named)], scale: { minReplicas: 1 }, revisionSuffix: "b-r1-1" };
    const traffic = serving.split(" ").map((revisionName, _, { length }) => ({ revisionName, weight: 100 / length }));
    const configuration = { ...found.configuration, ingress: { ...ingress, traffic } };
    return { ...found, configuration, latestRevisionName: "shop--b-r1-1", template };
  };
const afterRotation = withRotation("shop--b-r1-1", ["db-b"]);
const templateSent = async (change: Partial<CanaryAppArgs>, answers: Answers): Promise<any> => {
  const all = { ...args, acceptLoss: ["secretsByReference"], ...change } as CanaryAppArgs;
  const { declared } = await record(() => new CanaryApp("shop", all), answers);
  return declared.find(({ name }) => name === "shop-app")!.inputs["template"];
};
const suffixSent = async (change: Partial<CanaryAppArgs>, answers = afterRotation): Promise<unknown> =>
  (await templateSent(change, answers)).revisionSuffix;

test("the suffix of a rotation's revision is sent back only while the program changes nothing else", async () => {
  const plain = { containers: [naming("db-a")], scale: { minReplicas: 1 } };
  expect(await suffixSent({ template: plain })).toBe("b-r1-1");
  expect(await suffixSent({ template: pulumi.output(plain) })).toBe("b-r1-1");
  const changed = { ...plain, containers: [{ ...naming("db-a"), image: "web:2" }] };
  expect(await suffixSent({ template: changed })).toBeUndefined();
  const acceptLoss = ["secretsByReference", "volumes", "scaleRules"] as const;
  expect(await suffixSent({ template: plain, acceptLoss }, live("db-b", "other"))).toBeUndefined();
});

const filledIn = {
  containers: [{ ...naming("db-b"), imageType: "ContainerImage", probes: [], resources: { cpu: 0.5, memory: "1Gi" } }],
  scale: { minReplicas: 1, maxReplicas: 10, cooldownPeriod: 300, pollingInterval: 30, rules: null },
  volumes: [],
  serviceBinds: null,
  terminationGracePeriodSeconds: 0,
};
const [first] = filledIn.containers;
test.each<[string, object, string | undefined]>([
  ["only what Azure fills in", {}, "b-r1-1"],
  ["an arbitrary ephemeral storage", { containers: [{ ...first, resources: { ephemeralStorage: "2Gi" } }] }, "b-r1-1"],
  ["a command", { containers: [{ ...first, command: ["serve"] }] }, undefined],
  ["a size", { containers: [{ ...first, resources: { cpu: 1, memory: "2Gi" } }] }, undefined],
  ["a probe", { containers: [{ ...first, probes: [{ type: "Liveness", tcpSocket: { port: 80 } }] }] }, undefined],
  ["a limit of replicas", { scale: { minReplicas: 1, maxReplicas: 30 } }, undefined],
  ["a time to end", { terminationGracePeriodSeconds: 60 }, undefined],
])("a rotation's revision that has, unlike the program, %s", async (_what, has, suffix) => {
  const answers: Answers = (...asked) => {
    const found = afterRotation(...asked) as object;
    return { ...found, template: { ...filledIn, ...has, revisionSuffix: "b-r1-1" } };
  };
  const plain = { containers: [naming("db-a")], scale: { minReplicas: 1 } };
  expect(await suffixSent({ template: plain }, answers)).toBe(suffix);
  expect(await suffixSent({ template: pulumi.output(plain) }, answers)).toBe(suffix);
});

const other = ["cache-a", "cache-b"] as const;
const apart = ["db-a-user", "db-b-user"] as const;
const secretsOf = (credentialSlots: readonly (readonly string[])[]) => [
  ...credentialSlots.flat().map((each) => reference(each)),
  { name: "other", value: "hunter2" },
];
/** A rotation's revision, who serves, what that revision names, and what a release of another image names. */
test.each([
  ["serves", "shop--b-r1-1", ["db-b"], ["db-b"]],
  ["was rolled back", "shop--a", ["db-b"], ["db-a"]],
  ["was rolled back, in letters of another case", "Shop--A", ["db-b"], ["db-a"]],
  ["shares the traffic", "shop--a shop--b-r1-1", ["db-b"], ["db-b"]],
  ["serves beside another credential", "shop--b-r1-1", ["db-b", "cache-a"], ["db-b", "cache-a"]],
  ["was rolled back beside another credential", "shop--a", ["db-b", "cache-a"], ["db-a", "cache-a"]],
  ["was rolled back, and its name fits two credentials", "shop--a", ["db-b", "cache-b"], ["db-a", "cache-b"]],
  ["serves, and its name fits two credentials", "shop--b-r1-1", ["db-b", "cache-b"], ["db-b", "cache-b"]],
  [
    "of a role and a password apart was rolled back beside another credential in its slot",
    "shop--a",
    ["db-b-user", "db-b", "cache-b"],
    ["db-a-user", "db-a", "cache-b"],
  ],
  ["of a role and a password apart was rolled back", "shop--a", ["db-b-user", "db-b"], ["db-a-user", "db-a"]],
] as const)(
  "a release names the slots that serve: a rotation's revision %s",
  async (_what, serving, latest, released) => {
    const answers = withRotation(serving, latest);
    const credentialSlots = [["db-a", "db-b"], other, apart] as const;
    const secrets = secretsOf(credentialSlots);
    const web = naming(...latest.map((each) => each.replace("-b", "-a")));
    const template = { containers: [web], scale: { minReplicas: 1 } };
    const given = { credentialSlots, configuration: { ingress, secrets }, template };
    const names = ({ containers }: any) => containers[0].env.map(({ secretRef }: any) => secretRef);
    const same = await templateSent(given, answers);
    expect([names(same), same.revisionSuffix]).toEqual([latest, "b-r1-1"]);
    const changed = { ...template, containers: [{ ...web, image: "web:2" }] };
    for (const each of [changed, pulumi.output(changed)]) {
      const sent = await templateSent({ ...given, template: each as typeof changed }, answers);
      expect([names(sent), sent.revisionSuffix]).toEqual([released, undefined]);
    }
  },
);

/** What a refused release left as the latest revision, and what the next release names, while a cut-over serves. */
test.each([
  ["was made during the cut-over", "shop--b-r1-1", ["db-a"], ["db-b"]],
  ["was made during the cut-over, in letters of another case", "Shop--B-R1-1", ["db-a"], ["db-b"]],
  ["was made after the cut-over", "shop--b-r1-1", ["db-b"], ["db-b"]],
  ["was made although no rotation's revision serves", "shop--0000001", ["db-a"], ["db-a"]],
  ["has a role and a password apart", "shop--b-r1-1", ["db-a-user", "db-a"], ["db-b-user", "db-b"]],
  ["has two credentials", "shop--b-r1-1", ["db-a", "cache-a"], ["db-b", "cache-a"]],
  ["has two credentials, of which one is in the slot", "shop--b-r1-1", ["db-a", "cache-b"], ["db-b", "cache-b"]],
  ["has two credentials in the slot", "shop--b-r1-1", ["db-b", "cache-b"], ["db-b", "cache-b"]],
] as const)("a release names the slot that serves: a latest revision %s", async (_what, serving, latest, released) => {
  const answers: Answers = (...asked) => {
    if (asked[0] === "ballast:index:releaseOf") return withRotation(serving, latest)(...asked);
    const found = withRotation(serving, latest)(...asked) as { readonly template: object };
    const template = { ...found.template, revisionSuffix: "" };
    return { ...found, latestRevisionName: "shop--0000002", template };
  };
  const credentialSlots = [["db-a", "db-b"], other, apart] as const;
  const web = naming(...latest.map((each) => each.replace("-b", "-a")));
  const template = { containers: [{ ...web, image: "web:2" }], scale: { minReplicas: 1 } };
  const configuration = { ingress, secrets: secretsOf(credentialSlots) };
  const sent = await templateSent({ credentialSlots, configuration, template }, answers);
  expect(sent.containers[0].env.map(({ secretRef }: any) => secretRef)).toEqual(released);
  expect(sent.revisionSuffix).toBeUndefined();
});

const doubtfulSlots = [["db-a", "db-b"], other] as const;
const doubtful = (image: string) => ({
  credentialSlots: doubtfulSlots,
  configuration: { ingress, secrets: secretsOf(doubtfulSlots) },
  template: { containers: [{ ...naming("db-a", "cache-a"), image }], scale: { minReplicas: 1 } },
});
test.each([
  ["it cannot be reached", { unreachable: "No answer." }, "No answer\\. "],
  ["it does not know the rotation", {}, "it knows no such rotation"],
  ["the revision is of another release", { release: "shop--b-r1-1" }, "it knows no such rotation"],
])("a release is refused if the control plane does not say which credential was moved: %s", async (_why, made, why) => {
  const answers = withRotation("shop--a", ["db-b", "cache-b"], made);
  await expect(templateSent(doubtful("web:2"), answers)).rejects.toThrow(
    new RegExp(`canary-app-slot-in-doubt .*shop--b-r1-1.* did not say which of them it moved: ${why}`),
  );
  expect((await templateSent(doubtful("web:1"), answers)).revisionSuffix).toBe("b-r1-1");
});

test("without slots a program names its secrets itself, and may not move them beside a release", async () => {
  const secrets = [reference("db-a", "/1"), reference("db-b", "/2"), { name: "other", value: "hunter2" }];
  const without = { credentialSlots: [], configuration: { ingress, secrets } };
  expect((await sentTo(live("db-b", "other"), without))[0]).toEqual(["db-a", "other", "db-a", "db-a"]);
  await expect(sentTo(live("db-b", "other"), { credentialSlots: [] })).rejects.toThrow(
    /canary-app-scope-changes .*the secret db-a is read from another place/,
  );
});

test("the control plane hears of the slots, since they are no part of a release", async () => {
  const { declared } = await record(() => new CanaryApp("shop", args), nothingThere);
  expect(declared.find(({ name }) => name === "shop-release")!.inputs).toMatchObject({
    credentialSlots: [["db-a", "db-b"]],
  });
});
