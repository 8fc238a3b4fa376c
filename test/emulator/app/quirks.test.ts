// Each dangerous truth of the platform, twice: as it holds, and switched off. What the wire says is asked raw on the smallest cloud;
// what needs Resource Manager is in arm/quirks.test.ts.
import { expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type TruthName, truths } from "../../../emulator/controls/quirks.ts";
import {
  type ContainerCloud,
  containerCloud,
  domain,
  eventually,
  storefrontApp,
} from "../../support/emulator/container-cloud.ts";

const folder = new URL("../../support/emulator/", import.meta.url).pathname;
const host = `shop.${domain}`;
const latest = (app: Body): string => app["properties"].latestRevisionName;
const release = async (
  c: ContainerCloud,
  variables: Record<string, string>,
  more: Parameters<typeof storefrontApp>[1] = {},
): Promise<string> => latest(await c.apply("shop", storefrontApp(variables, more)));
const ready = (c: ContainerCloud, revision: string): Promise<Body> =>
  eventually(
    () => c.revision("shop", revision),
    ({ healthState }) => healthState === "Healthy",
  );
const shift = (c: ContainerCloud, ...traffic: readonly Body[]): Promise<Body> =>
  c.apply("shop", { configuration: { ingress: { traffic } } }, { merge: true });
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "accepted",
    (error: { code?: string }) => error.code ?? String(error),
  );
const answers = async (c: ContainerCloud, at = host): Promise<string> => {
  const { status, text } = await c.request(at);
  return status === 200 ? JSON.parse(text).release : String(status);
};
const entriesOf = (c: ContainerCloud): readonly Body[] => c.app("shop")["properties"].configuration.ingress.traffic;
const names = async (c: ContainerCloud): Promise<string[]> =>
  ((await c.child("shop", "GET", "revisions"))!.body as Body)["value"].map(({ name }: Body) => name);

/** A clock that goes on and can be moved ahead. */
function clock(): { readonly now: () => number; readonly skip: (seconds: number) => void } {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    skip: (seconds) => {
      ahead += seconds * 1000;
    },
  };
}

/** Runs the same twice, with the truth and without, and tells what was seen each time; apps and clouds are fresh. */
async function bothWays(
  name: TruthName,
  look: (c: ContainerCloud, time: ReturnType<typeof clock>) => Promise<unknown>,
): Promise<{ readonly azure: unknown; readonly naive: unknown }> {
  const seen: unknown[] = [];
  for (const holds of [true, false]) {
    const time = clock();
    await using c = await containerCloud(
      { moody: { folder, entry: "moody.mjs" }, broken: { folder: "/", entry: "/nothing-here.js" } },
      time.now,
      { [name]: holds },
    );
    seen.push(await look(c, time));
  }
  return { azure: seen[0], naive: seen[1] };
}

const brokenApp = (variables: Record<string, string> = {}, more: Parameters<typeof storefrontApp>[1] = {}): Body => {
  const properties = storefrontApp(variables, more);
  properties["template"].containers[0].image = "broken:1";
  return properties;
};

test("a suffix stays taken for life, and using it again fails the operation; a naive cloud replaces the revision", async () => {
  const seen = await bothWays("suffix-taken-for-life", async (c) => {
    await release(c, { RELEASE: "1" }, { template: { revisionSuffix: "one" } });
    const { operation } = await c.put("shop", storefrontApp({ RELEASE: "2" }, { template: { revisionSuffix: "one" } }));
    return [(await operation)?.code ?? "succeeded", await names(c)];
  });
  expect(seen).toEqual({ azure: ["ContainerAppOperationError", ["shop--one"]], naive: ["succeeded", ["shop--one"]] });
});

test("in its silent form an inactive revision's suffix succeeds and nothing is deployed", async () => {
  await using c = await containerCloud({}, Date.now, { "suffix-taken-for-life": "silent" });
  await release(c, { RELEASE: "1" }, { template: { revisionSuffix: "one" } });
  await release(c, { RELEASE: "2" }, { template: { revisionSuffix: "two" } });
  const again = () =>
    c
      .put("shop", storefrontApp({ RELEASE: "3" }, { template: { revisionSuffix: "one" } }))
      .then(({ operation }) => operation);
  expect(await again()).toMatchObject({ code: "ContainerAppOperationError" });
  await c.child("shop", "POST", "revisions", "shop--one", "deactivate");
  expect(await again()).toBeUndefined();
  expect(await names(c)).toEqual(["shop--one", "shop--two"]);
  expect(await c.revision("shop", "shop--one")).toMatchObject({
    active: false,
    template: { containers: [{ env: expect.arrayContaining([{ name: "RELEASE", value: "1" }]) }] },
  });
});

test("a template that comes back gets a new name; a naive cloud gives the old revision back", async () => {
  const seen = await bothWays("names-by-counter", async (c) => {
    const made = [
      await release(c, { RELEASE: "1" }),
      await release(c, { RELEASE: "2" }),
      await release(c, { RELEASE: "1" }),
    ];
    return new Set(made).size;
  });
  expect(seen).toEqual({ azure: 3, naive: 2 });
});

test.each([
  ["weights-sum-to-100", [["FIRST", 60]], "ContainerAppInvalidTrafficWeight"],
  ["weights-name-known-revisions", [["shop--nowhere", 100]], "ContainerAppRevisionNotFound"],
] as const)("%s: refused, and taken by a naive cloud", async (name, entries, refusal) => {
  const seen = await bothWays(name, async (c) => {
    const first = await release(c, { RELEASE: "1" });
    return code(
      shift(
        c,
        ...entries.map(([revision, weight]) => ({ revisionName: revision === "FIRST" ? first : revision, weight })),
      ),
    );
  });
  expect(seen).toEqual({ azure: refusal, naive: "accepted" });
});

test("a deactivated revision's entry stays; a naive cloud takes it out", async () => {
  const seen = await bothWays("deactivated-keeps-its-entry", async (c) => {
    const [first, second] = [await release(c, { RELEASE: "1" }), await release(c, { RELEASE: "2" })];
    await shift(c, { revisionName: first, weight: 50 }, { revisionName: second, weight: 50 });
    await c.child("shop", "POST", "revisions", first, "deactivate");
    return entriesOf(c).length;
  });
  expect(seen).toEqual({ azure: 2, naive: 1 });
});

test("weight on a deactivated revision is taken and is an outage; a naive cloud refuses it", async () => {
  const seen = await bothWays("deactivated-may-have-weight", async (c) => {
    const first = await release(c, { RELEASE: "1" });
    await ready(c, await release(c, { RELEASE: "2" }));
    await c.child("shop", "POST", "revisions", first, "deactivate");
    return [await code(shift(c, { revisionName: first, weight: 100 })), await answers(c)];
  });
  expect(seen).toEqual({ azure: ["accepted", "503"], naive: ["ContainerAppInvalidTraffic", "2"] });
});

test("the last active revision may be deactivated; a naive cloud refuses that", async () => {
  const seen = await bothWays("last-active-may-be-deactivated", async (c) =>
    code(c.child("shop", "POST", "revisions", await release(c, { RELEASE: "1" }), "deactivate")),
  );
  expect(seen).toEqual({ azure: "accepted", naive: "ContainerAppOperationError" });
});

test("a named revision gets its weight before it is ready; a naive cloud waits", async () => {
  const seen = await bothWays("names-do-not-wait", async (c) => {
    const first = await release(c, { RELEASE: "1" });
    await ready(c, first);
    const second = latest(await c.apply("shop", brokenApp({}, { traffic: [{ revisionName: first, weight: 100 }] })));
    await shift(c, { revisionName: first, weight: 0 }, { revisionName: second, weight: 100 });
    const lost = await answers(c);
    await shift(c, { revisionName: first, weight: 50 }, { revisionName: second, weight: 50 });
    return [lost, [...new Set(await Promise.all(Array.from({ length: 20 }, () => answers(c))))].sort()];
  });
  expect(seen).toEqual({ azure: ["503", ["1", "503"]], naive: ["503", ["1"]] });
});

test("latestRevision waits for readiness; a naive cloud takes the latest at once", async () => {
  const seen = await bothWays("latest-waits", async (c) => {
    await ready(c, await release(c, { RELEASE: "1" }));
    await c.apply("shop", brokenApp());
    return answers(c);
  });
  expect(seen).toEqual({ azure: "1", naive: "503" });
});

test("a label at weight 0 keeps its address, moves by a patch, and a deactivated revision's has nobody behind it; without the truth it is gone", async () => {
  const seen = await bothWays("labels-last-at-zero", async (c) => {
    const [first, second] = [await release(c, { RELEASE: "1" }), await release(c, { RELEASE: "2" })];
    await Promise.all([ready(c, first), ready(c, second)]);
    await shift(
      c,
      { revisionName: first, weight: 100, label: "stable" },
      { revisionName: second, weight: 0, label: "next" },
    );
    const found = [await answers(c, `shop---next.${domain}`), entriesOf(c)[1]!["label"]];
    await shift(
      c,
      { revisionName: first, weight: 0, label: "last" },
      { revisionName: second, weight: 100, label: "stable" },
    );
    found.push(await answers(c, `shop---stable.${domain}`), await answers(c, `shop---next.${domain}`));
    await c.child("shop", "POST", "revisions", second, "deactivate");
    return [...found, await answers(c, `shop---stable.${domain}`)];
  });
  expect(seen).toEqual({ azure: ["2", "next", "2", "503", "503"], naive: ["503", undefined, "2", "503", "503"] });
});

test("a label stands on one revision: on two entries it is refused", async () => {
  await using c = await containerCloud();
  const [first, second] = [await release(c, { RELEASE: "1" }), await release(c, { RELEASE: "2" })];
  expect(
    await code(
      shift(c, { revisionName: first, weight: 50, label: "x" }, { revisionName: second, weight: 50, label: "X" }),
    ),
  ).toBe("ContainerAppInvalidTraffic");
});

test("a revision does not show its labels; a naive cloud's does", async () => {
  const seen = await bothWays("revision-hides-its-labels", async (c) => {
    const first = await release(c, { RELEASE: "1" });
    await shift(c, { revisionName: first, weight: 100, label: "stable" });
    return (await c.revision("shop", first))["labels"];
  });
  expect(seen).toEqual({ azure: undefined, naive: ["stable"] });
});

test("a write succeeds although nothing starts; a naive cloud's operation fails", async () => {
  const seen = await bothWays(
    "succeeds-unstarted",
    async (c) => (await (await c.put("shop", brokenApp())).operation)?.code ?? "succeeded",
  );
  expect(seen).toEqual({ azure: "succeeded", naive: "ContainerAppOperationError" });
});

test("activation is answered before anything is ready; a naive cloud waits", async () => {
  const seen = await bothWays("actions-do-not-wait", async (c) => {
    const first = await release(c, { RELEASE: "1" });
    await ready(c, first);
    await c.child("shop", "POST", "revisions", first, "deactivate");
    await c.child("shop", "POST", "revisions", first, "activate");
    const { provisioningState, runningState, healthState } = await c.revision("shop", first);
    return [provisioningState, runningState, healthState];
  });
  expect(seen).toEqual({ azure: ["Provisioning", "Activating", "None"], naive: ["Provisioned", "Running", "Healthy"] });
});

test("a write during a write is refused; a naive cloud carries both out", async () => {
  const seen = await bothWays("one-write-at-a-time", async (c) => {
    const { operation } = await c.put("shop", storefrontApp({ RELEASE: "1" }));
    const second = await code(c.put("shop", storefrontApp({ RELEASE: "2" })).then((put) => put.operation));
    await operation;
    return second;
  });
  expect(seen).toEqual({ azure: "ContainerAppOperationInProgress", naive: "accepted" });
});

test("a changed secret reaches a replica only when it is restarted; a naive cloud starts every replica anew", async () => {
  const seen = await bothWays("secret-makes-no-revision", async (c) => {
    const withKey = (value: string) =>
      storefrontApp({ RELEASE: "1" }, { configuration: { secrets: [{ name: "key", value }] } });
    const first = latest(await c.apply("shop", withKey("old")));
    await ready(c, first);
    const again = latest(await c.apply("shop", withKey("new")));
    const restarts = async () => (await c.standin("GET", "processes")).processes.map((each: Body) => each["restarts"]);
    if ((await code(eventually(restarts, ([count]) => count === 1, 0.5))) === "accepted")
      return [again === first, "restarted"];
    await c.child("shop", "POST", "revisions", first, "restart");
    await eventually(restarts, ([count]) => count === 1);
    return [again === first, "restarted when asked"];
  });
  expect(seen).toEqual({ azure: [true, "restarted when asked"], naive: [true, "restarted"] });
});

test("a secret is never read back, and a PUT repeats it; naive clouds show and keep it", async () => {
  const put = (value?: string) =>
    storefrontApp({ RELEASE: "1" }, { configuration: { secrets: [{ name: "key", ...(value ? { value } : {}) }] } });
  expect(
    await bothWays(
      "secrets-are-write-only",
      async (c) => (await c.apply("shop", put("hush")))["properties"].configuration.secrets,
    ),
  ).toEqual({ azure: [{ name: "key" }], naive: [{ name: "key", value: "hush" }] });
  expect(
    await bothWays("put-repeats-secrets", async (c) => {
      await c.apply("shop", put("hush"));
      return code(c.apply("shop", put()));
    }),
  ).toEqual({ azure: "ContainerAppSecretInvalid", naive: "accepted" });
});

test("a read shows the server's defaults; a naive cloud's shows what was sent", async () => {
  const seen = await bothWays("defaults-on-read", async (c) => {
    const { configuration, template } = (await c.apply("shop", storefrontApp({})))["properties"];
    return [configuration.ingress.transport, template.scale.maxReplicas, configuration.ingress.fqdn];
  });
  expect(seen).toEqual({ azure: ["Auto", 10, host], naive: [undefined, undefined, host] });
});

test("states on the wire are beyond the specification's; a naive cloud's are not", async () => {
  const seen = await bothWays(
    "open-enums",
    async (c) =>
      (await ready(c, await release(c, { RELEASE: "1" }, { template: { scale: { minReplicas: 1, maxReplicas: 1 } } })))[
        "runningState"
      ],
  );
  expect(seen).toEqual({ azure: "RunningAtMaxScale", naive: "Running" });
});

test("session affinity holds a client to its replica in Single mode only; a naive cloud's in any mode", async () => {
  const sticky = (mode: string) =>
    storefrontApp(
      { RELEASE: "1" },
      {
        mode,
        template: { scale: { minReplicas: 2 } },
        configuration: {
          activeRevisionsMode: mode,
          ingress: { external: true, targetPort: 8080, stickySessions: { affinity: "sticky" } },
        },
      },
    );
  const cookie = async (c: ContainerCloud): Promise<string | undefined> =>
    (await c.request(host)).headers["set-cookie"]?.[0];
  const seen = await bothWays("affinity-in-single-only", async (c) => {
    await ready(c, latest(await c.apply("shop", sticky("Multiple"))));
    const inMultiple = (await cookie(c)) !== undefined;
    await c.apply("shop", { configuration: { activeRevisionsMode: "Single" } }, { merge: true });
    await eventually(
      () => c.standin("GET", "processes"),
      ({ processes }) => processes.filter((each: Body) => each["ready"]).length === 2,
    );
    const held = (await cookie(c))!.split(";")[0]!;
    const replicas = await Promise.all(
      Array.from({ length: 6 }, () => c.request(host, "/", { headers: { cookie: held } })),
    );
    return [inMultiple, new Set(replicas.map(({ headers }) => headers["set-cookie"]?.[0])).size];
  });
  expect(seen).toEqual({ azure: [false, 1], naive: [true, 1] });
});

test("Single mode takes the old revision down; a naive cloud leaves it", async () => {
  const seen = await bothWays("single-takes-old-down", async (c) => {
    const first = await release(c, { RELEASE: "1" }, { mode: "Single" });
    await ready(c, first);
    await ready(c, await release(c, { RELEASE: "2" }, { mode: "Single" }));
    return [await answers(c), (await c.revision("shop", first))["active"]];
  });
  expect(seen).toEqual({ azure: ["2", false], naive: ["2", true] });
});

test("a container on another port than targetPort is never healthy, and its deadline passes; a naive cloud does not look", async () => {
  const seen = await bothWays("wrong-port-never-healthy", async (c, time) => {
    const first = await release(c, { PORT: "3000" });
    const looked = () => c.revision("shop", first);
    if (
      (await eventually(looked, ({ healthState }) => healthState !== "None", 2).catch(() => undefined))?.[
        "healthState"
      ] === "Healthy"
    )
      return "Healthy";
    time.skip(262);
    const { runningState, healthState, provisioningError } = await looked();
    return [runningState, healthState, provisioningError, await answers(c)];
  });
  expect(seen).toEqual({
    azure: ["Failed", "Unhealthy", expect.stringContaining("Deployment Progress Deadline Exceeded"), "503"],
    naive: "Healthy",
  });
});

test("without a minimum a revision goes to zero after its cool-down, and the next request wakes it and waits; a naive cloud keeps it", async () => {
  const seen = await bothWays("scales-to-zero", async (c, time) => {
    const first = await release(c, { RELEASE: "1" }, { template: { scale: { minReplicas: 0, cooldownPeriod: 60 } } });
    await ready(c, first);
    time.skip(59);
    expect(await answers(c)).toBe("1");
    time.skip(59);
    expect((await c.revision("shop", first))["replicas"]).toBe(1);
    time.skip(2);
    const asleep = await eventually(
      () => c.revision("shop", first),
      ({ runningState }) => runningState === "ScaledToZero",
      1,
    ).catch(() => ({ replicas: 1 }) as Body);
    return [
      asleep["replicas"],
      asleep["healthState"],
      await answers(c),
      await answers(c, `${first}.${domain}`),
      (await c.revision("shop", first))["replicas"],
    ];
  });
  expect(seen).toEqual({ azure: [0, "None", "1", "1", 1], naive: [1, undefined, "1", "1", 1] });
});

test("a request that gives up while a revision wakes leaves a row, and several that wait are all answered by one cold start", async () => {
  const time = clock();
  await using c = await containerCloud({}, time.now);
  c.wireLogs();
  const first = await release(c, { RELEASE: "1" }, { template: { scale: { minReplicas: 0 } } });
  await ready(c, first);
  time.skip(301);
  await eventually(
    () => c.revision("shop", first),
    ({ runningState }) => runningState === "ScaledToZero",
  );
  const all = Promise.all(Array.from({ length: 5 }, () => answers(c)));
  await c
    .request(host, "/", { headers: { "x-request-id": "impatient" }, signal: AbortSignal.timeout(20) })
    .catch(() => undefined);
  expect(await all).toEqual(["1", "1", "1", "1", "1"]);
  expect((await c.standin("GET", "processes")).processes).toHaveLength(1);
  const { rows } = await eventually(
    () => c.standin("GET", "rows?app=shop"),
    (found) => found.rows.length === 6,
  );
  expect(rows.find(({ RequestId }: Body) => RequestId === "impatient")).toMatchObject({
    StatusCode: 0,
    ResponseFlags: "DC",
  });
});

test("inactive revisions beyond the limit are purged a quarter of an hour late, and their traffic entries stay; a naive cloud keeps them", async () => {
  const seen = await bothWays("inactive-are-purged", async (c, time) => {
    const limit = { maxInactiveRevisions: 1 };
    const [first, second] = [
      await release(c, { RELEASE: "1" }, { configuration: limit }),
      await release(c, { RELEASE: "2" }, { configuration: limit }),
    ];
    const third = await release(c, { RELEASE: "3" }, { configuration: limit });
    await shift(c, { revisionName: first, weight: 0 }, { revisionName: third, weight: 100 });
    for (const name of [first, second]) await c.child("shop", "POST", "revisions", name, "deactivate");
    time.skip(890);
    expect(
      await code(
        eventually(
          () => names(c),
          (left) => left.length < 3,
          0.3,
        ),
      ),
    ).not.toBe("accepted");
    time.skip(20);
    const gone = await code(
      eventually(
        () => names(c),
        (left) => !left.includes(first),
        1,
      ),
    );
    return [
      gone === "accepted",
      await code(c.child("shop", "GET", "revisions", first)),
      entriesOf(c)[0]!["revisionName"] === first,
      (await names(c)).length,
    ];
  });
  expect(seen).toEqual({ azure: [true, "ResourceNotFound", true, 2], naive: [false, "accepted", true, 3] });
});

test("Multiple and Single change places on a running app", async () => {
  await using c = await containerCloud();
  const first = await release(c, { RELEASE: "1" }, { mode: "Single" });
  await ready(c, first);
  await c.apply("shop", { configuration: { activeRevisionsMode: "Multiple" } }, { merge: true });
  const second = await release(c, { RELEASE: "2" }, { traffic: [{ revisionName: first, weight: 100 }] });
  await ready(c, second);
  expect([await answers(c), await answers(c, `${second}.${domain}`)]).toEqual(["1", "2"]);
  await c.apply("shop", { configuration: { activeRevisionsMode: "Single" } }, { merge: true });
  expect([await answers(c), (await c.revision("shop", first))["active"]]).toEqual(["2", false]);
});

test("an internal app's addresses lie in the internal zone, and an app without ingress has none", async () => {
  await using c = await containerCloud();
  const first = await release(
    c,
    { RELEASE: "1" },
    { configuration: { ingress: { external: false, targetPort: 8080 } } },
  );
  const { fqdn } = await ready(c, first);
  expect(fqdn).toBe(`${first}.internal.${domain}`);
  expect([await answers(c, `shop.internal.${domain}`), await answers(c, fqdn), await answers(c)]).toEqual([
    "1",
    "1",
    "404",
  ]);
  await c.apply("shop", { configuration: { ingress: null } }, { merge: true });
  expect([await answers(c, `shop.internal.${domain}`), (await c.revision("shop", first))["fqdn"]]).toEqual(["404", ""]);
});

test.each<[string, Body, string]>([
  ["TCP", { external: true, targetPort: 8080, transport: "Tcp" }, "LocalCloudUnsupported"],
  ["HTTP/2 to the container", { external: true, targetPort: 8080, transport: "Http2" }, "LocalCloudUnsupported"],
  ["an exposed port", { external: true, targetPort: 8080, exposedPort: 9000 }, "LocalCloudUnsupported"],
])("refuses ingress with %s by name", async (_, ingress, refusal) => {
  await using c = await containerCloud();
  expect(await code(release(c, {}, { configuration: { ingress } }))).toBe(refusal);
});

test("a minimum of replicas above the maximum is refused", async () => {
  await using c = await containerCloud();
  expect(await code(release(c, {}, { template: { scale: { minReplicas: 3, maxReplicas: 2 } } }))).toBe(
    "ContainerAppScaleInvalid",
  );
});

test("a truth is switched by its name while apps run, and a name or a form that there is not is refused", async () => {
  await using c = await containerCloud();
  const settings = async (): Promise<Body> =>
    Object.fromEntries((await c.standin("GET", "truths")).truths.map(({ name, setting }: Body) => [name, setting]));
  expect(await settings()).toEqual(Object.fromEntries(Object.keys(truths).map((name) => [name, true])));
  await c.standin("POST", "truths", { "lists-are-paged": false, "suffix-taken-for-life": "silent" });
  expect(await settings()).toMatchObject({
    "lists-are-paged": false,
    "suffix-taken-for-life": "silent",
    "open-enums": true,
  });
  expect(await code(c.standin("POST", "truths", { "list-are-paged": false }))).toBe("InvalidRequestContent");
  expect(await code(c.standin("POST", "truths", { "open-enums": false, "lists-are-paged": "silent" }))).toBe(
    "InvalidRequestContent",
  );
  expect(await settings()).toMatchObject({ "lists-are-paged": false, "open-enums": true });
});
