// The quirks of container apps that concern traffic, labels, ingress and revision modes, each in force and switched
// off, by raw requests on the smallest cloud.
import { expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import {
  type ContainerCloud,
  containerCloud,
  domain,
  eventually,
  storefrontApp,
} from "../../support/emulator/container-cloud.ts";
import {
  answers,
  bothWays,
  brokenApp,
  code,
  entriesOf,
  host,
  latest,
  ready,
  release,
  shift,
} from "../../support/emulator/quirk-cloud.ts";

test.each([
  ["weights-sum-to-100", [["FIRST", 60]], "ContainerAppInvalidTrafficWeight"],
  ["weights-name-known-revisions", [["shop--nowhere", 100]], "ContainerAppRevisionNotFound"],
] as const)("%s: refused, and accepted by a naive cloud", async (name, entries, refusal) => {
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

test("a deactivated revision's traffic entry stays; a naive cloud removes it", async () => {
  const seen = await bothWays("deactivated-keeps-its-entry", async (c) => {
    const [first, second] = [await release(c, { RELEASE: "1" }), await release(c, { RELEASE: "2" })];
    await shift(c, { revisionName: first, weight: 50 }, { revisionName: second, weight: 50 });
    await c.child("shop", "POST", "revisions", first, "deactivate");
    return entriesOf(c).length;
  });
  expect(seen).toEqual({ azure: 2, naive: 1 });
});

test("weight on a deactivated revision is accepted and is an outage; a naive cloud refuses it", async () => {
  const seen = await bothWays("deactivated-may-have-weight", async (c) => {
    const first = await release(c, { RELEASE: "1" });
    await ready(c, await release(c, { RELEASE: "2" }));
    await c.child("shop", "POST", "revisions", first, "deactivate");
    return [await code(shift(c, { revisionName: first, weight: 100 })), await answers(c)];
  });
  expect(seen).toEqual({ azure: ["accepted", "503"], naive: ["ContainerAppInvalidTraffic", "2"] });
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

test("a label at weight 0 keeps its address and can move; a naive cloud removes it", async () => {
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

test("a label on two traffic entries is refused", async () => {
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

test("session affinity works in Single mode only; in a naive cloud it works in any mode", async () => {
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
    const inMultiple = await code(c.apply("shop", sticky("Multiple")));
    await c.apply("shop", sticky("Single"));
    await eventually(
      () => c.emulator("GET", "processes"),
      ({ processes }) => processes.filter((each: Body) => each["ready"]).length === 2,
    );
    const held = (await cookie(c))!.split(";")[0]!;
    const replicas = await Promise.all(
      Array.from({ length: 6 }, () => c.request(host, "/", { headers: { cookie: held } })),
    );
    const inOne = new Set(replicas.map(({ headers }) => headers["set-cookie"]?.[0])).size;
    const back = await code(c.apply("shop", { configuration: { activeRevisionsMode: "Multiple" } }, { merge: true }));
    return [inMultiple, inOne, back];
  });
  const refusal = "ContainerAppInvalidIngressStickySessionRevisionMode";
  expect(seen).toEqual({ azure: [refusal, 1, refusal], naive: ["accepted", 1, "accepted"] });
});

test("traffic is checked in Single mode too; a naive cloud accepts any", async () => {
  const seen = await bothWays("traffic-checked-in-single", async (c) => {
    await release(c, { RELEASE: "1" }, { mode: "Single" });
    return code(shift(c, { revisionName: "shop--nowhere", weight: 7 }));
  });
  expect(seen).toEqual({ azure: "ContainerAppRevisionNotFound", naive: "accepted" });
});

test("Single mode deactivates the old revision; a naive cloud leaves it active", async () => {
  const seen = await bothWays("single-takes-old-down", async (c) => {
    const first = await release(c, { RELEASE: "1" }, { mode: "Single" });
    await ready(c, first);
    await ready(c, await release(c, { RELEASE: "2" }, { mode: "Single" }));
    return [await answers(c), (await c.revision("shop", first))["active"]];
  });
  expect(seen).toEqual({ azure: ["2", false], naive: ["2", true] });
});

test("a running app changes from Single to Multiple and back", async () => {
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

test("an internal app's addresses are in the internal domain, and an app without ingress has none", async () => {
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
  ["HTTP/2 to the container", { external: true, targetPort: 8080, transport: "Http2" }, "EmulatorUnsupported"],
  ["an exposed port", { external: true, targetPort: 8080, exposedPort: 9000 }, "EmulatorUnsupported"],
])("refuses ingress with %s by name", async (_, ingress, refusal) => {
  await using c = await containerCloud();
  expect(await code(release(c, {}, { configuration: { ingress } }))).toBe(refusal);
});
