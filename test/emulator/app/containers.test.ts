// Replicas of several containers on the emulator: init containers, sidecars, commands, ports and volumes. Each
// container is a process, so these tests ask the processes themselves what they got.
import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import {
  type ContainerCloud,
  containerCloud,
  domain,
  environmentId,
  eventually,
} from "../../support/emulator/container-cloud.ts";

const folder = new URL("../../support/emulator/", import.meta.url).pathname;
const start = (): Promise<ContainerCloud> => containerCloud({ box: { folder, entry: "container.mjs" } });

const small = { cpu: 0.25, memory: "0.5Gi" };
const soon = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
const box = (name: string, more: Body = {}): Body => ({
  name,
  image: "registry.example/box:1",
  resources: small,
  ...(name === "app" ? { probes: ["Startup", "Readiness"].map((type) => ({ type, ...soon })) } : {}),
  ...more,
  env: [{ name: "WHO", value: name }, ...(more["env"] ?? [])],
});
const emptyDir = { volumes: [{ name: "data", storageType: "EmptyDir" }] };
const mounted = { volumeMounts: [{ volumeName: "data", mountPath: "/data" }] };

const appOf = (template: Body, configuration: Body = {}): Body => ({
  configuration: { activeRevisionsMode: "Single", ingress: { external: true, targetPort: 8080 }, ...configuration },
  template: { terminationGracePeriodSeconds: 1, scale: { minReplicas: 1, maxReplicas: 3 }, ...template },
});

/** Applies an app and gives its revision once it is ready. */
async function serving(c: ContainerCloud, properties: Body, name = "shop"): Promise<string> {
  const revision: string = (await c.apply(name, properties))["properties"].latestRevisionName;
  await eventually(
    () => c.revision(name, revision),
    ({ healthState }) => healthState === "Healthy",
  );
  return revision;
}
const ask = async (c: ContainerCloud, route: string, host = `shop.${domain}`): Promise<any> =>
  JSON.parse((await c.request(host, route)).text);
const processes = async (c: ContainerCloud): Promise<readonly Body[]> =>
  (await c.emulator("GET", "processes")).processes;
const pidOf = async (c: ContainerCloud, name: string): Promise<number> =>
  (await processes(c)).find(({ container }) => container === name)!["pid"];

test("init containers run in order, once, before the app, and share its volumes", async () => {
  await using c = await start();
  const init = (name: string): Body => box(name, { ...mounted, args: ["write", "0"] });
  const revision = await serving(
    c,
    appOf({ ...emptyDir, initContainers: [init("first"), init("second")], containers: [box("app", mounted)] }),
  );
  expect(await ask(c, "/file?mount=MOUNT_DATA&name=lines")).toBe("first\nsecond\n");
  const replicas = (await c.child("shop", "GET", "revisions", revision, "replicas"))!.body as Body;
  expect(replicas["value"][0].properties).toMatchObject({
    initContainers: [
      { name: "first", runningState: "Terminated", restartCount: 0 },
      { name: "second", runningState: "Terminated", restartCount: 0 },
    ],
    containers: [{ name: "app", runningState: "Running", ready: true }],
  });
  // A container that dies restarts without them; a restart of the revision runs them again.
  await c.emulator("POST", "kill", { app: "shop", signal: "SIGKILL" });
  await eventually(
    () => processes(c),
    (all) => all.some(({ container, ready, restarts }) => container === "app" && ready && restarts === 1),
  );
  expect(await ask(c, "/file?mount=MOUNT_DATA&name=lines")).toBe("first\nsecond\n");
  await c.child("shop", "POST", "revisions", revision, "restart");
  await eventually(
    () => processes(c),
    (all) => all.some(({ container, ready, restarts }) => container === "app" && ready && restarts === 2),
  );
  expect(await ask(c, "/file?mount=MOUNT_DATA&name=lines")).toBe("first\nsecond\n");
});

test("an init container that fails keeps the app from starting, and fails the revision", async () => {
  await using c = await start();
  const { properties } = await c.apply(
    "shop",
    appOf({ initContainers: [box("first", { args: ["write", "3"] })], containers: [box("app")] }),
  );
  const failed = await eventually(
    () => c.revision("shop", properties.latestRevisionName),
    ({ runningState }) => runningState === "Failed",
  );
  expect(failed).toMatchObject({ healthState: "Unhealthy", provisioningState: "Failed" });
  const all = await processes(c);
  expect(all.map(({ container, lastEnd }) => [container, lastEnd])).toEqual([
    ["first", "exited with 3"],
    ["app", ""],
  ]);
  expect((await c.request(`shop.${domain}`)).status).toBe(503);
});

test("a sidecar is a process of its own that the app reaches by its port, and that restarts alone", async () => {
  await using c = await start();
  const revision = await serving(
    c,
    appOf({
      containers: [box("app"), box("side", { env: [{ name: "PORT", value: "9090" }] })],
    }),
  );
  const { env, pid } = await ask(c, "/");
  const side = await ask(c, "/sibling?port=9090");
  expect([env.WHO, side.env.WHO, side.pid === pid]).toEqual(["app", "side", false]);
  expect([side.env.PORT, side.env.PORT_8080]).toEqual([env.PORT_9090, env.PORT]);
  process.kill(side.pid, "SIGKILL");
  await eventually(
    () => pidOf(c, "side"),
    (now) => now !== null && now !== side.pid,
  );
  expect(await pidOf(c, "app")).toBe(pid);
  await eventually(
    () => c.request(`shop.${domain}`, "/sibling?port=9090"),
    ({ status }) => status === 200,
  );
  const { lines } = await c.emulator("GET", "logs?app=shop");
  expect(lines.map(({ container, text }: Body) => [container, text])).toEqual(
    expect.arrayContaining([
      ["app", "app is here"],
      ["side", "side is here"],
    ]),
  );
  expect(revision).toMatch(/^shop--/);
});

test("a replica is ready when all of its containers are", async () => {
  await using c = await start();
  const never = {
    env: [{ name: "PORT", value: "9090" }],
    probes: [{ type: "Readiness", tcpSocket: { port: 9999 }, periodSeconds: 1, failureThreshold: 1 }],
  };
  const { properties } = await c.apply("shop", appOf({ containers: [box("app"), box("side", never)] }));
  await eventually(
    () => processes(c),
    (all) => all.some(({ container, ready }) => container === "app" && ready),
  );
  expect(await c.revision("shop", properties.latestRevisionName)).toMatchObject({ healthState: "None" });
  expect((await c.request(`shop.${domain}`)).status).toBe(503);
});

test("a command replaces the image's program, and args are its arguments", async () => {
  await using c = await start();
  const script = "container.mjs";
  await serving(c, appOf({ containers: [box("app", { command: ["node", script, "a"], args: ["b"] })] }));
  expect((await ask(c, "/")).argv.slice(1)).toEqual(["a", "b"]);
  const missing = appOf({ containers: [box("app", { command: ["no-such-program"] })] });
  const { properties } = await c.apply("shop", missing);
  expect(
    await eventually(
      () => c.revision("shop", properties.latestRevisionName),
      ({ runningState }) => runningState === "Failed",
    ),
  ).toMatchObject({ healthState: "Unhealthy" });
});

test("an EmptyDir belongs to one replica and ends with it", async () => {
  await using c = await start();
  const revision = await serving(c, appOf({ ...emptyDir, containers: [box("app", mounted)] }));
  await ask(c, "/write?text=hello");
  const { env } = await ask(c, "/");
  expect(readdirSync(env.MOUNT_DATA)).toEqual(["lines"]);
  await c.child("shop", "POST", "revisions", revision, "deactivate");
  await eventually(
    () => existsSync(env.MOUNT_DATA),
    (there) => !there,
  );
});

test("an AzureFile volume is the environment's storage: shared by apps, and by subPath", async () => {
  await using c = await start();
  const name = `share${process.pid}`;
  c.cloud.store.put({
    id: `${environmentId}/storages/${name}`,
    type: "Microsoft.App/managedEnvironments/storages",
    body: { name, properties: { azureFile: { accountName: "a", shareName: "s", accessMode: "ReadWrite" } } },
  });
  const shared = { volumes: [{ name: "data", storageType: "AzureFile", storageName: name }] };
  await serving(c, appOf({ ...shared, containers: [box("app", mounted)] }));
  await ask(c, "/write?text=hello");
  const other = {
    volumeMounts: [
      { volumeName: "data", mountPath: "/mnt/all-of-it" },
      { volumeName: "data", mountPath: "/part", subPath: "below" },
    ],
  };
  await serving(c, appOf({ ...shared, containers: [box("app", other)] }), "other");
  const { env } = await ask(c, "/", `other.${domain}`);
  expect(await ask(c, "/file?mount=MOUNT_MNT_ALL_OF_IT&name=lines", `other.${domain}`)).toBe("hello\n");
  expect(env.MOUNT_PART).toBe(path.join(env.MOUNT_MNT_ALL_OF_IT, "below"));
  rmSync(env.MOUNT_MNT_ALL_OF_IT, { recursive: true });
});

test("a Secret volume has a file for each secret, or for those that it lists", async () => {
  await using c = await start();
  const secrets = ["one", "two"].map((name) => ({ name, value: `value of ${name}` }));
  const volumes = [
    { name: "every", storageType: "Secret" },
    { name: "some", storageType: "Secret", secrets: [{ secretRef: "two", path: "deep/second.txt" }] },
  ];
  const volumeMounts = ["every", "some"].map((volumeName) => ({ volumeName, mountPath: `/${volumeName}` }));
  await serving(c, appOf({ volumes, containers: [box("app", { volumeMounts })] }, { secrets }));
  expect(await ask(c, "/file?mount=MOUNT_EVERY&name=one")).toBe("value of one");
  expect(await ask(c, "/file?mount=MOUNT_SOME&name=deep/second.txt")).toBe("value of two");
  expect((await c.request(`shop.${domain}`, "/file?mount=MOUNT_SOME&name=one")).status).toBe(500);
});

test("volumes, init containers and commands are part of the revision's template", async () => {
  await using c = await start();
  const plain = appOf({ containers: [box("app")] });
  const first = await serving(c, plain);
  const changes: readonly Body[] = [
    emptyDir,
    { initContainers: [box("first", { args: ["write", "0"] })] },
    { containers: [box("app", { command: ["node", "container.mjs"] })] },
    { containers: [box("app"), box("side")] },
    {
      scale: {
        minReplicas: 1,
        maxReplicas: 3,
        rules: [{ name: "a", http: { metadata: { concurrentRequests: "5" } } }],
      },
    },
  ];
  const names = [first];
  for (const change of changes) {
    const properties = structuredClone(plain);
    Object.assign(properties["template"], change);
    names.push((await c.apply("shop", properties))["properties"].latestRevisionName);
    expect(c.app("shop")["properties"].template).toMatchObject(change);
  }
  expect(new Set(names).size).toBe(names.length);
});
