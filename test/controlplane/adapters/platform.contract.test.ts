// What a release meets on Container Apps, seen through our adapters and through Microsoft's client on our own connection. Each test is one
// documented behaviour and what comes of it; none knows that the stand-in can do without. `npm run kill-table` shows which one notices.
import https from "node:https";
import type { ContainerApp } from "@azure/arm-appcontainers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Connection, connect } from "../../../controlplane/adapters/azure/connection.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { Apps } from "../../../controlplane/runtime/ports.ts";
import type { Labels } from "../../../engines/rollout/vocabulary.ts";
import { openShop, type Shop } from "../../support/emulator/azure-shop.ts";
import { eventually } from "../../support/postgres/postgres.ts";

const uncut = new AbortController().signal;
const ours = async () => true;
const resourceGroup = "shop";
const often = { updateIntervalInMs: 30 };
let shop: Shop;
let connection: Connection;
let apps: Apps;
let group: string;
beforeAll(async () => {
  shop = await openShop();
  connection = connect({ ...shop.settings, requestSeconds: 5 }, shop.cloud.environment["BALLAST_CONNECT_TO"]);
  apps = createContainerApps(connection, patienceOf(5));
  group = `/subscriptions/${shop.cloud.subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.App`;
});
afterEach(() => shop.arm("POST", "/_standin/clock", { at: null }));
afterAll(() => {
  connection?.close();
  return shop?.close();
});

/** What the client asks to be whole where the wire takes a part. */
type Configuration = NonNullable<ContainerApp["configuration"]>;

interface Wanted {
  readonly configuration?: Configuration;
  readonly suffix?: string;
  readonly minReplicas?: number;
  readonly variables?: readonly { readonly name: string; readonly value?: string; readonly secretRef?: string }[];
}

/** Puts a release of an app with Microsoft's client; its operation has ended, but nothing need be ready. */
const put = (
  app: string,
  release: string,
  { configuration, suffix, minReplicas = 1, variables = [] }: Wanted = {},
  abortSignal?: AbortSignal,
) =>
  connection.apps.containerApps.createOrUpdate(
    resourceGroup,
    app,
    {
      location: "westeurope",
      managedEnvironmentId: `${group}/managedEnvironments/shop`,
      configuration: {
        activeRevisionsMode: "Multiple",
        ...configuration,
        ingress: { external: true, targetPort: 8080, ...configuration?.ingress },
      },
      template: {
        ...(suffix === undefined ? {} : { revisionSuffix: suffix }),
        scale: { minReplicas, maxReplicas: 2 },
        containers: [
          {
            name: "web",
            image: "registry.example/storefront:1",
            env: [{ name: "RELEASE", value: release }, ...variables],
            probes: [{ type: "Readiness", httpGet: { path: "/health/ready", port: 8080 }, periodSeconds: 1 }],
          },
        ],
      },
    },
    { ...often, ...(abortSignal ? { abortSignal } : {}) },
  );
const patch = (app: string, change: Partial<ContainerApp>, options: object = {}) =>
  connection.apps.containerApps.update(
    resourceGroup,
    app,
    { location: "westeurope", ...change },
    { ...often, ...options },
  );
const patchTraffic = (app: string, traffic: NonNullable<Configuration["ingress"]>["traffic"]) =>
  patch(app, { configuration: { ingress: { traffic } } as Configuration });
const neverReady = { variables: [{ name: "FAULT", value: "never-ready" }] };

const viewOf = async (app: string) => {
  const view = await apps.inspect({ resourceGroup, app }, uncut);
  if (!view.ok) throw new Error(view.reason);
  return view.value;
};
const revisionOf = async (app: string, name: string) =>
  (await viewOf(app)).revisions.find((revision) => revision.name === name);
const shift = (app: string, labels: Labels, ...weights: readonly (readonly [string, number])[]) =>
  apps.shift(
    {
      kind: "ShiftTraffic",
      target: { resourceGroup, app },
      weights: weights.map(([revision, percent]) => ({ revision, percent })),
      labels,
      overrideHold: false,
    },
    ours,
  );
const deactivate = (app: string, revision: string) =>
  connection.apps.containerAppsRevisions.deactivateRevision(resourceGroup, app, revision);

/** Puts a release and waits until its revision is ready. */
async function ready(app: string, release: string, wanted: Wanted = {}): Promise<string> {
  const { latestRevisionName: name } = await put(app, release, wanted);
  await eventually(async () => (await revisionOf(app, name!))?.health === "Healthy", `${name} to be healthy`);
  return name!;
}

/** Two releases that are ready, of which the first has all traffic. */
async function pair(app: string): Promise<readonly [stable: string, canary: string]> {
  const stable = await ready(app, "1");
  return [
    stable,
    await ready(app, "2", {
      configuration: { ingress: { traffic: [{ revisionName: stable, weight: 100 }] } } as Configuration,
    }),
  ];
}

/** What a user of the app gets: the status, the release that says it has answered, and the headers. */
const visit = (app: string) =>
  new Promise<{
    readonly status: number;
    readonly release: string | undefined;
    readonly headers: NodeJS.Dict<string | string[]>;
  }>((resolve, reject) => {
    https
      .get({ host: `${app}.shop.westeurope.ballast.localhost`, path: "/", agent: connection.agent }, (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (part: string) => {
            text += part;
          })
          .on("end", () =>
            resolve({
              status: response.statusCode!,
              release: /"release":"([^"]*)"/.exec(text)?.[1],
              headers: response.headers,
            }),
          );
      })
      .on("error", reject);
  });
const passTime = (seconds: number) => shop.arm("POST", "/_standin/clock", { at: Date.now() + seconds * 1000 });

test("a revert cannot have the suffix of a revision that was taken away: the write is accepted and its operation fails", async () => {
  await put("suffix", "1", { suffix: "one" });
  await put("suffix", "2", { suffix: "two" });
  await deactivate("suffix", "suffix--one");
  await expect(put("suffix", "3", { suffix: "one" })).rejects.toThrow(/'one' already exists/);
});

test("all revisions of an app are seen, though their list comes in pages", async () => {
  for (let release = 1; release <= 11; release += 1) {
    const { latestRevisionName } = await put("pages", String(release));
    if (release < 11) await deactivate("pages", latestRevisionName!);
  }
  const asked = async (): Promise<number> =>
    (await shop.arm("GET", "/_standin/requests")).body.requests.filter(
      ({ method, path }: { method: string; path: string }) => method === "GET" && /pages\/revisions(\?|$)/.test(path),
    ).length;
  const before = await asked();
  expect((await viewOf("pages")).revisions).toHaveLength(11);
  expect((await asked()) - before).toBe(2);
});

test("weights that do not add up to 100 are refused, and nothing moves", async () => {
  const { latestRevisionName: first } = await put("sums", "1", { suffix: "first" });
  await patchTraffic("sums", [{ revisionName: first!, weight: 100 }]);
  await expect(patchTraffic("sums", [{ revisionName: first!, weight: 99 }])).rejects.toMatchObject({ statusCode: 400 });
  expect((await viewOf("sums")).weights).toEqual([{ revision: first, percent: 100 }]);
});

test("weights for a revision that there is not, or by its suffix alone, are refused, and nothing moves", async () => {
  const { latestRevisionName: first } = await put("strangers", "1", { suffix: "first" });
  await patchTraffic("strangers", [{ revisionName: first!, weight: 100 }]);
  for (const revisionName of ["strangers--gone", "first"])
    await expect(patchTraffic("strangers", [{ revisionName, weight: 100 }])).rejects.toMatchObject({ statusCode: 400 });
  expect((await viewOf("strangers")).weights).toEqual([{ revision: first, percent: 100 }]);
});

test("a revision that is taken down keeps its entry, so that the label stable still says who it was", async () => {
  const [stable, canary] = await pair("entries");
  await shift("entries", { stable, canary }, [canary, 100]);
  await deactivate("entries", stable);
  expect((await viewOf("entries")).labels).toEqual({ stable, canary });
  expect(await shift("entries", { stable }, [stable, 100])).toMatchObject({ ok: true });
  expect(await visit("entries")).toMatchObject({ status: 200, release: "1" });
});

test("weight on a revision that was taken down is taken and is an outage, which is seen and ended", async () => {
  const [stable, canary] = await pair("outage");
  await deactivate("outage", canary);
  await patchTraffic("outage", [{ revisionName: canary, weight: 100 }]);
  expect(await visit("outage")).toMatchObject({ status: 503 });
  expect(await viewOf("outage")).toMatchObject({
    weights: [{ revision: canary, percent: 100 }],
    revisions: [
      { name: stable, active: true },
      { name: canary, active: false },
    ],
  });
  expect(await shift("outage", { stable }, [stable, 100])).toMatchObject({ ok: true });
  expect(await visit("outage")).toMatchObject({ status: 200, release: "1" });
});

test("an app whose last active revision somebody has taken down is brought up again", async () => {
  const stable = await ready("down", "1");
  await deactivate("down", stable);
  expect(await visit("down")).toMatchObject({ status: 503 });
  expect(await revisionOf("down", stable)).toMatchObject({ active: false });
  expect(await shift("down", { stable }, [stable, 100])).toMatchObject({ ok: true });
  expect(await visit("down")).toMatchObject({ status: 200, release: "1" });
});

test("the share of a canary that is not ready is errors, which is why it is asked at weight 0 first", async () => {
  const stable = await ready("unready", "1");
  const { latestRevisionName: canary } = await put("unready", "2", {
    ...neverReady,
    configuration: { ingress: { traffic: [{ revisionName: stable, weight: 100 }] } } as Configuration,
  });
  expect(
    await apps.probe(
      { kind: "Probe", target: { resourceGroup, app: "unready" }, revision: canary!, path: "/", timeoutSeconds: 5 },
      uncut,
    ),
  ).toMatchObject({ value: { good: false } });
  expect(await shift("unready", { stable, canary: canary! }, [stable, 50], [canary!, 50])).toMatchObject({ ok: true });
  // With even chances sixty requests all miss an arm once in 10^18 runs.
  expect(
    new Set((await Promise.all(Array.from({ length: 60 }, () => visit("unready")))).map(({ status }) => status)),
  ).toEqual(new Set([200, 503]));
});

test("the weight of the latest revision is its predecessor's until it is ready, for users and in what we read", async () => {
  const first = await ready("latest", "1", {
    configuration: { ingress: { traffic: [{ latestRevision: true, weight: 100 }] } } as Configuration,
  });
  await put("latest", "2", {
    ...neverReady,
    configuration: { ingress: { traffic: [{ latestRevision: true, weight: 100 }] } } as Configuration,
  });
  expect(await apps.readTraffic({ resourceGroup, app: "latest" }, uncut)).toEqual({
    ok: true,
    value: { weights: [{ revision: first, percent: 100 }] },
  });
  expect(await visit("latest")).toMatchObject({ status: 200, release: "1" });
});

test("a canary at weight 0 keeps its label", async () => {
  const [stable, canary] = await pair("labels");
  await shift("labels", { stable, canary }, [stable, 100]);
  expect((await viewOf("labels")).labels).toEqual({ stable, canary });
});

test("a shift writes the list whole: whom it leaves out has no weight and no label any more", async () => {
  const [stable, canary] = await pair("whole");
  await shift("whole", { stable, canary }, [stable, 50], [canary, 50]);
  expect(await shift("whole", { stable }, [stable, 100])).toEqual({
    ok: true,
    value: { weights: [{ revision: stable, percent: 100 }] },
  });
  expect((await shop.arm("GET", `${group}/containerApps/whole`)).body.properties.configuration.ingress.traffic).toEqual(
    [{ revisionName: stable, weight: 100, label: "stable" }],
  );
});

test("labels are read from the traffic, since revisions do not show them", async () => {
  const [stable, canary] = await pair("shown");
  await shift("shown", { stable, canary }, [stable, 50], [canary, 50]);
  expect((await viewOf("shown")).labels).toEqual({ stable, canary });
  const { value } = (await shop.arm("GET", `${group}/containerApps/shown/revisions`)).body as {
    readonly value: readonly { readonly properties: object }[];
  };
  expect(value.map(({ properties }) => "labels" in properties)).toEqual([false, false]);
});

test("a write succeeds although its revision never starts, and the smoke test is what finds that", async () => {
  const { provisioningState, latestRevisionName: revision } = await put(
    "unstarted",
    "1",
    neverReady,
    AbortSignal.timeout(15_000),
  );
  expect(provisioningState).toBe("Succeeded");
  expect(
    await apps.probe(
      { kind: "Probe", target: { resourceGroup, app: "unstarted" }, revision: revision!, path: "/", timeoutSeconds: 5 },
      uncut,
    ),
  ).toMatchObject({ value: { good: false } });
});

test("an activation is answered before anything is ready", async () => {
  const { latestRevisionName: revision } = await put("activated", "1", neverReady, AbortSignal.timeout(15_000));
  await deactivate("activated", revision!);
  await connection.apps.containerAppsRevisions.activateRevision(resourceGroup, "activated", revision!, {
    abortSignal: AbortSignal.timeout(15_000),
  });
  expect(await revisionOf("activated", revision!)).toMatchObject({
    active: true,
    health: expect.not.stringMatching("^Healthy$"),
  });
});

test("a shift during another write meets a conflict, and lands all the same", async () => {
  const [stable, canary] = await pair("busy");
  const split = (percent: number) => [
    { revision: stable, percent: 100 - percent },
    { revision: canary, percent },
  ];
  let writes: readonly string[] = [];
  // Another's write is over in a moment, so that ours, sent right behind it, may come too late to meet it.
  for (let percent = 1; percent <= 10 && !writes.includes("PATCH busy 409"); percent += 1) {
    let asked = 0;
    const behindAnother = async (): Promise<boolean> =>
      asked++ > 0 ||
      (await shop.arm("PATCH", `${group}/containerApps/busy`, { tags: { percent: String(percent) } })).status === 202;
    await shop.writes();
    const shifted = await apps.shift(
      {
        kind: "ShiftTraffic",
        target: { resourceGroup, app: "busy" },
        weights: split(percent),
        labels: { stable, canary },
        overrideHold: false,
      },
      behindAnother,
    );
    expect(shifted).toEqual({ ok: true, value: { weights: split(percent) } });
    writes = await shop.writes();
  }
  expect(writes).toEqual(["PATCH busy 202", "PATCH busy 409", "PATCH busy 202"]);
});

test("a write cannot depend on what was read: If-Match changes nothing, and no answer has an ETag", async () => {
  const { latestRevisionName: first } = await put("matched", "1");
  const tags: (string | undefined)[] = [];
  const onResponse = ({
    headers,
  }: {
    readonly headers: { readonly get: (name: string) => string | undefined };
  }): void => void tags.push(headers.get("etag"));
  await connection.apps.containerApps.get(resourceGroup, "matched", { onResponse });
  await patch("matched", { tags: { a: "b" } }, { requestOptions: { headers: { "If-Match": '"stale"' } } });
  expect([tags, (await viewOf("matched")).revisions.map(({ name }) => name)]).toEqual([[undefined], [first]]);
});

test("a changed secret makes no revision, and who runs keeps the old value until it is restarted", async () => {
  const withSecret = (value: string): Wanted => ({
    configuration: { secrets: [{ name: "key", value }] } as Configuration,
    variables: [{ name: "RELEASE", secretRef: "key" }],
  });
  const first = await ready("secret", "", withSecret("old"));
  expect((await put("secret", "", withSecret("new"))).latestRevisionName).toBe(first);
  expect(await visit("secret")).toMatchObject({ status: 200, release: "old" });
  await connection.apps.containerAppsRevisions.restartRevision(resourceGroup, "secret", first);
  await eventually(
    async () => (await visit("secret")).release === "new",
    "the restarted revision to have the new value",
  );
  const { processes } = (await shop.arm("GET", "/_standin/processes")).body as {
    readonly processes: readonly { readonly app: string; readonly restarts: number }[];
  };
  expect(processes.filter(({ app }) => app === "secret").map(({ restarts }) => restarts)).toEqual([1]);
});

test("a read never shows a secret", async () => {
  await put("repeated", "1", { configuration: { secrets: [{ name: "key", value: "hush" }] } as Configuration });
  const { body } = await shop.arm("GET", `${group}/containerApps/repeated`);
  expect(JSON.stringify(body)).not.toContain("hush");
  expect(body.properties.configuration.secrets).toEqual([{ name: "key" }]);
});

test("a write of the whole app repeats each secret or is refused, and a shift need not", async () => {
  const first = await ready("unrepeated", "1", {
    configuration: { secrets: [{ name: "key", value: "hush" }] } as Configuration,
  });
  await expect(
    put("unrepeated", "2", { configuration: { secrets: [{ name: "key" }] } as Configuration }),
  ).rejects.toMatchObject({ statusCode: 400 });
  expect(await shift("unrepeated", { stable: first }, [first, 100])).toMatchObject({ ok: true });
});

test("what a write leaves out to a default is there in a read", async () => {
  await put("defaults", "1");
  const { configuration, template } = (await shop.arm("GET", `${group}/containerApps/defaults`)).body.properties;
  expect([configuration.ingress.transport, configuration.ingress.allowInsecure, template.scale.cooldownPeriod]).toEqual(
    ["Auto", false, 300],
  );
});

test("session affinity is taken in Multiple mode, seen, and holds nobody", async () => {
  await ready("sticky", "1", {
    configuration: { ingress: { stickySessions: { affinity: "sticky" } } } as Configuration,
  });
  expect((await viewOf("sticky")).sticky).toBe(true);
  const { status, headers } = await visit("sticky");
  expect([status, headers["set-cookie"]]).toEqual([200, undefined]);
});

test("in Single mode the old revision is taken down when the new one is ready, and all weight is the new one's", async () => {
  const single = { configuration: { activeRevisionsMode: "Single" } as Configuration };
  const first = await ready("single", "1", single);
  const second = await ready("single", "2", single);
  expect(
    await eventually(async () => {
      const view = await viewOf("single");
      return view.revisions.find(({ name }) => name === first)?.active === false && view;
    }, "the first revision to be taken down"),
  ).toMatchObject({ mode: "Single", weights: [{ revision: second, percent: 100 }] });
});

test("a revision on another port than it is asked at is never healthy, and its probe is no good", async () => {
  const { latestRevisionName: revision } = await put("port", "1", { variables: [{ name: "PORT", value: "3000" }] });
  await ready("port", "2", {
    configuration: { ingress: { traffic: [{ revisionName: revision!, weight: 100 }] } } as Configuration,
  }); // By now the first would be, too.
  expect((await revisionOf("port", revision!))?.health).not.toBe("Healthy");
  await passTime(262);
  const found = await eventually(async () => {
    const seen = await revisionOf("port", revision!);
    return seen && !["None", ""].includes(seen.health) && seen;
  }, "a verdict on the revision's health");
  expect(found.health).toBe("Unhealthy");
  expect(
    await apps.probe(
      { kind: "Probe", target: { resourceGroup, app: "port" }, revision: revision!, path: "/", timeoutSeconds: 5 },
      uncut,
    ),
  ).toMatchObject({ value: { good: false } });
});

test("a revision without a minimum falls asleep, and a probe wakes it and is answered", async () => {
  const revision = await ready("asleep", "1", { minReplicas: 0 });
  await passTime(301);
  await eventually(
    async () => (await revisionOf("asleep", revision))?.running === "ScaledToZero",
    "the revision to be at zero",
  );
  expect(
    await apps.probe(
      { kind: "Probe", target: { resourceGroup, app: "asleep" }, revision, path: "/", timeoutSeconds: 15 },
      uncut,
    ),
  ).toMatchObject({ value: { good: true } });
  expect((await revisionOf("asleep", revision))?.running).not.toBe("ScaledToZero");
});

test("what was inactive for long is purged: no traffic can go back to it, and its labels are left behind", async () => {
  const [old, stable] = await pair("purged");
  await patch("purged", { configuration: { maxInactiveRevisions: 0 } as Configuration });
  await patchTraffic("purged", [
    { revisionName: stable, weight: 100 },
    { revisionName: old, weight: 0, label: "blue" },
  ]);
  await deactivate("purged", old);
  await passTime(901);
  await eventually(async () => (await revisionOf("purged", old)) === undefined, "the old revision to be purged");
  expect(await shift("purged", {}, [old, 100])).toEqual({
    ok: false,
    reason: `there is no revision ${old} any more, so it cannot be given traffic`,
  });
  expect(await shift("purged", { stable }, [stable, 100])).toMatchObject({ ok: true });
  expect(
    (await shop.arm("GET", `${group}/containerApps/purged`)).body.properties.configuration.ingress.traffic,
  ).toEqual([{ revisionName: stable, weight: 100, label: "stable" }]);
});
