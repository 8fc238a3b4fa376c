// A credential with two slots: an update leaves it to the rotation which slot is in use, and where each is.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
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

const naming = (secretRef: string) => ({ name: "web", image: "web:1", env: [{ name: "DB", secretRef }] });
/** An app whose latest revision a rotation made; Azure shows the suffix in the template too. */
const afterRotation: Answers = (...asked) => {
  const found = live("db-b", "other")(...asked) as object;
  const template = { containers: [naming("db-b")], scale: { minReplicas: 1 }, revisionSuffix: "b-r1-1" };
  return { ...found, latestRevisionName: "shop--b-r1-1", template };
};
const suffixSent = async (change: Partial<CanaryAppArgs>, answers = afterRotation): Promise<unknown> => {
  const all = { ...args, acceptLoss: ["secretsByReference"], ...change } as CanaryAppArgs;
  const { declared } = await record(() => new CanaryApp("shop", all), answers);
  return declared.find(({ name }) => name === "shop-app")!.inputs["template"].revisionSuffix;
};

test("the suffix of a rotation's revision is sent back only while the program changes nothing else", async () => {
  const plain = { containers: [naming("db-a")], scale: { minReplicas: 1 } };
  expect(await suffixSent({ template: plain })).toBe("b-r1-1");
  expect(await suffixSent({ template: pulumi.output(plain) })).toBe("b-r1-1");
  const changed = { ...plain, containers: [{ ...naming("db-a"), image: "web:2" }] };
  expect(await suffixSent({ template: changed })).toBeUndefined();
  const acceptLoss = ["secretsByReference", "volumes", "scaleRules"] as const;
  expect(await suffixSent({ template: plain, acceptLoss }, live("db-b", "other"))).toBeUndefined();
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
