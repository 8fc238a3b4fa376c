// A CanaryApp and its live app: what is read before the update reaches what is sent, and what is refused then.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { noRecreation } from "../../components/canary-app/recreation.ts";
import { type Answers, record, unknown } from "../support/program/mocks.ts";

const args: CanaryAppArgs = {
  containerAppName: "shop",
  resourceGroupName: "shop",
  environmentId: "apps",
  controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
  configuration: {
    ingress: { external: true, targetPort: 8080, transport: "http" },
    secrets: [{ name: "key", value: "hunter2" }],
  },
  template: { containers: [{ name: "web", image: "web:1" }], scale: { minReplicas: 1 } },
};
const domain = { name: "www.example.org", bindingType: "SniEnabled", certificateId: "/c" };
const live: Answers = (token) =>
  token.endsWith("getContainerApp")
    ? {
        latestReadyRevisionName: "shop--a",
        template: { containers: [{ name: "web", image: "web:1" }], scale: { minReplicas: 1, maxReplicas: 10 } },
        tags: { owner: "team-a" },
        configuration: {
          activeRevisionsMode: "Multiple",
          secrets: [{ name: "key" }],
          ingress: {
            external: true,
            targetPort: 8080,
            transport: "Http",
            customDomains: [domain],
            traffic: [{ revisionName: "shop--a", weight: 100 }],
          },
        },
      }
    : {};
const inputsOf = async (change: Partial<CanaryAppArgs>): Promise<any> => {
  const { declared } = await record(() => new CanaryApp("shop", { ...args, ...change }), live);
  const { configuration, ...more } = declared.find(({ name }) => name === "shop-app")!.inputs;
  return { ...more, configuration: configuration.value }; // Pulumi marks it, since it has a secret
};

test("canary-app-losses stops the preview, until every loss is kept or accepted", async () => {
  await expect(inputsOf({})).rejects.toThrow(
    /^canary-app-losses .*the domain www\.example\.org, the tag owner.*keepLive: \["customDomains", "tags"\]/s,
  );
  await expect(inputsOf({ keepLive: ["customDomains"] })).rejects.toThrow(
    /canary-app-losses .*remove them: the tag owner\./s,
  );
  const { tags, configuration } = await inputsOf({ keepLive: ["customDomains"], acceptLoss: ["tags"] });
  expect([tags, configuration.ingress.customDomains]).toEqual([undefined, [domain]]);
});

test("what is kept is sent beside what the program says, in outputs too", async () => {
  const ingress = {
    external: true,
    targetPort: 8080,
    transport: "http",
    customDomains: [{ name: "shop.example.org" }],
  };
  const configuration = { ...(args.configuration as object), ingress };
  const kept = { keepLive: ["customDomains", "tags"], tags: { cost: "1" } } as const;
  for (const change of [
    { ...kept, configuration },
    { ...kept, configuration: pulumi.output(configuration), tags: pulumi.output({ cost: "1" }) },
    { ...kept, configuration: { ...configuration, ingress: pulumi.output(ingress) } },
  ]) {
    const { tags, configuration: sent } = await inputsOf(change);
    expect(tags).toEqual({ owner: "team-a", cost: "1" });
    expect(sent.ingress.customDomains).toEqual([{ name: "shop.example.org" }, domain]);
    expect(sent.ingress.traffic).toEqual([{ revisionName: "shop--a", weight: 100 }]);
    expect(sent.secrets).toEqual([{ name: "key", value: "hunter2" }]);
  }
});

test("a name or a group that is an output is read like one that is plain", async () => {
  const asked: unknown[] = [];
  const answers: Answers = (token, inputs) => {
    if (token !== "ballast:index:ready") asked.push(inputs);
    return live(token, inputs);
  };
  const later = { containerAppName: pulumi.output("shop"), resourceGroupName: pulumi.output(Promise.resolve("shop")) };
  await expect(record(() => new CanaryApp("shop", { ...args, ...later }), answers)).rejects.toThrow(
    "canary-app-losses",
  );
  expect(asked).toEqual([{ containerAppName: "shop", resourceGroupName: "shop" }]);
});

/** Runs a program as a preview in which an output is not known yet, as the SDK marks it. */
async function previewed(change: Partial<CanaryAppArgs>): Promise<{ readonly said: string; readonly asked: number }> {
  const said: string[] = [];
  let asked = 0;
  const { log } = console;
  console.log = (line: string) => void said.push(line); // the SDK logs there without a Pulumi CLI
  const answers: Answers = (token, inputs) => {
    if (token !== "ballast:index:ready") asked += 1;
    return live(token, inputs);
  };
  try {
    await record(() => new CanaryApp("shop", { ...args, keepLive: ["customDomains", "tags"], ...change }), answers);
  } finally {
    console.log = log;
  }
  return { said: said.join("\n"), asked };
}

test("a preview that does not know the name yet says that it cannot read the live app", async () => {
  expect(await previewed({ containerAppName: unknown() })).toEqual({
    said: expect.stringContaining('The live app of "shop" cannot be read yet'),
    asked: 0,
  });
});

const hiddenBy = (places: string): string =>
  'info: [runtime] This preview shows nothing of the template of "shop", since a value in it is not known yet: ' +
  `${places}. What is known of it is checked all the same.`;

test("a preview names the first three values that hide a template", async () => {
  const env = ["A", "B", "C", "D", "E"].map((name) => ({ name, value: name === "B" ? "known" : unknown() }));
  const template = { containers: [{ name: "web", image: "web:1", env }], scale: { minReplicas: 1 } };
  const places = [0, 2, 3].map((place) => `template.containers[0].env[${place}].value`).join(", ");
  expect((await previewed({ template })).said).toBe(hiddenBy(`${places}, and 1 more`));
});

test("a preview that does not know a part of the template reads the live app, and compares the rest", async () => {
  const template = { containers: [{ name: "web", image: unknown() }], scale: { minReplicas: 1 } };
  const said = hiddenBy("template.containers[0].image");
  expect(await previewed({ template })).toEqual({ said, asked: 1 });
  await expect(previewed({ template, keepLive: ["tags"] })).rejects.toThrow(/canary-app-losses .*www\.example\.org/s);
});

test.each<[string, () => object]>([
  ["template", () => unknown()],
  ["template.containers", () => ({ containers: unknown(), scale: { minReplicas: 1 } })],
  ["template.containers[0]", () => ({ containers: [unknown()], scale: { minReplicas: 1 } })],
  [
    "template.containers[0].env",
    () => ({ containers: [{ name: "web", image: "web:1", env: unknown() }], scale: { minReplicas: 1 } }),
  ],
])("a preview that does not know %s says so, and nothing of what it would lose", async (place, template) =>
  expect(await previewed({ template: template() as never })).toEqual({ said: hiddenBy(place), asked: 1 }),
);

const scaledBy = (rule: object) => ({
  template: { ...(args.template as object), scale: { minReplicas: 1, rules: [rule] } },
});
const withDapr = (dapr: object) => ({ configuration: { ...(args.configuration as object), dapr } });
test.each<[string, object, string | undefined]>([
  ["a queue", scaledBy({ name: "orders", custom: { type: "azure-servicebus", metadata: {} } }), "scale rule orders"],
  ["Azure's queue", scaledBy({ name: "orders", azureQueue: { queueName: "orders", queueLength: 5 } }), "rule orders"],
  ["tasks of a workflow", scaledBy({ name: "work", custom: { type: "temporal", metadata: {} } }), "scale rule work"],
  ["requests", scaledBy({ name: "many", http: { metadata: { concurrentRequests: "50" } } }), undefined],
  ["load", scaledBy({ name: "busy", custom: { type: "cpu", metadata: {} } }), undefined],
  [
    "Dapr, which calls the app",
    withDapr({ enabled: true, appId: "shop", appPort: 8080 }),
    "Dapr, if the app subscribes",
  ],
  ["Dapr, which cannot call the app", withDapr({ enabled: true, appId: "shop" }), undefined],
  ["Dapr that is switched off", withDapr({ enabled: false, appPort: 8080 }), undefined],
])("canary-app-consumes warns of an app that gets messages: %s", async (_what, change, words) => {
  const said: string[] = [];
  const { warn } = console;
  console.warn = (line: string) => void said.push(line); // the SDK logs there without a Pulumi CLI
  await record(() => new CanaryApp("shop", { ...args, ...change })).finally(() => {
    console.warn = warn;
  });
  const lines = said.filter((line) => line.includes("canary-app-consumes"));
  expect(lines).toEqual(words === undefined ? [] : [expect.stringContaining(words)]);
});

test("canary-app-probes stops the preview for a probe that Azure would refuse, also of an unknown image", async () => {
  const probes = [{ type: "Startup", periodSeconds: 1, failureThreshold: 500, httpGet: { path: "/", port: 8080 } }];
  const containers = [{ name: "web", image: "web:1", probes }];
  await expect(inputsOf({ template: { containers, scale: { minReplicas: 1 } } })).rejects.toThrow(
    /^canary-app-probes .*failureThreshold of the Startup probe of container web is 500, and must be 1 to 240/s,
  );
  const template = { containers: [{ ...containers[0], image: unknown() }], scale: { minReplicas: 1 } };
  await expect(previewed({ template })).rejects.toThrow(/^canary-app-probes/);
});

test("canary-app-exists refuses a preview that would create the app again; an update would be too late", async () => {
  const traffic = [{ revisionName: "shop--a", weight: 100 }];
  const created = async (exists: boolean | "unknown", isPreview: boolean): Promise<string | undefined> => {
    const { made } = await record(
      async () => {
        const found = {
          traffic,
          kept: {},
          slots: { named: {}, places: {} },
          found: exists === true ? { latestReadyRevisionName: "shop--a" } : undefined,
          planned: () => ({}),
        };
        const place = pulumi.output(["shop", "shop"] as const);
        const { beforeCreate } = noRecreation("shop", place, exists === "unknown" ? unknown() : pulumi.output(found));
        const hook = beforeCreate![0] as pulumi.ResourceHook;
        expect(hook.opts).toEqual({ onDryRun: true });
        return await Promise.resolve(hook.callback({} as pulumi.ResourceHookArgs)).then(
          () => undefined,
          (error: Error) => error.message,
        );
      },
      undefined,
      isPreview,
    );
    return made;
  };
  expect(await created(true, true)).toMatch(/^canary-app-exists .*"shop", which already exists/);
  expect(await Promise.all([created(true, false)])).toEqual([undefined]);
  expect(await created(false, true)).toBeUndefined();
  expect(await created("unknown", true)).toBeUndefined();
});
