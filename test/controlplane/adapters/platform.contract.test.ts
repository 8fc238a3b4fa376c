// The documented behaviour of Container Apps that a release depends on, through our adapter and through Microsoft's
// client. Each test is one behaviour and its consequence. `npm run mutants` switches each off in the emulator and shows
// which test notices.
import { expect, test } from "vitest";
import { messageOf } from "../../../cli/doctor/azure-answer.ts";
import { describeAsked } from "../../../deadman/azure.ts";
import type { CredentialSlots } from "../../../engines/rollout/intent.ts";
import {
  apps,
  type Configuration,
  connection,
  deactivate,
  group,
  neverReady,
  pair,
  passTime,
  patch,
  patchTraffic,
  put,
  ready,
  resourceGroup,
  revisionOf,
  shift,
  shop,
  usePlatform,
  viewOf,
  visit,
  type Wanted,
} from "../../support/controlplane/platform.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { shiftBetween } from "../../support/worlds/split.ts";

usePlatform();

const uncut = new AbortController().signal;

test("a revert cannot have the suffix of a deactivated revision: its operation fails", async () => {
  await put("suffix", "1", { suffix: "one" });
  await put("suffix", "2", { suffix: "two" });
  await deactivate("suffix", "suffix--one");
  await expect(put("suffix", "3", { suffix: "one" })).rejects.toThrow(/'one' already exists/);
});

test("revisions that name either secret of a credential have the same template, as Azure shows it", async () => {
  const secrets = ["db-a", "db-b", "mail"].map((name) => ({ name, value: "hunter2" }));
  const names: (string | undefined)[] = [];
  for (const secretRef of ["db-a", "db-b", "mail"]) {
    const variables = [{ name: "DATABASE", secretRef }];
    names.push((await put("slots", "1", { configuration: { secrets }, variables })).latestRevisionName);
  }
  const templates = async (credentialSlots?: CredentialSlots) => {
    const asked = { target: { resourceGroup, app: "slots" }, ...(credentialSlots && { credentialSlots }) };
    const view = await apps.inspect(asked, uncut);
    if (!view.ok) throw new Error(view.reason);
    return names.map((name) => view.value.revisions.find((each) => each.name === name)!.templateHash);
  };
  const [a, b, mail] = await templates([["db-b", "db-a"]]);
  expect([a === b, a === mail]).toEqual([true, false]);
  expect(new Set(await templates()).size).toBe(3);
});

test("all revisions of an app are read, although the list is paged", async () => {
  for (let release = 1; release <= 11; release += 1) {
    const { latestRevisionName } = await put("pages", String(release));
    if (release < 11) await deactivate("pages", latestRevisionName!);
  }
  const asked = async (): Promise<number> =>
    (await shop.arm("GET", "/_emulator/requests")).body.requests.filter(
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

test("weights for a missing revision, or by its suffix alone, are refused, and nothing moves", async () => {
  const { latestRevisionName: first } = await put("strangers", "1", { suffix: "first" });
  await patchTraffic("strangers", [{ revisionName: first!, weight: 100 }]);
  for (const revisionName of ["strangers--gone", "first"])
    await expect(patchTraffic("strangers", [{ revisionName, weight: 100 }])).rejects.toMatchObject({ statusCode: 400 });
  expect((await viewOf("strangers")).weights).toEqual([{ revision: first, percent: 100 }]);
});

test("a deactivated revision keeps its entry, so that the label stable still names it", async () => {
  const [stable, canary] = await pair("entries");
  await shift("entries", { stable, canary }, [canary, 100]);
  await deactivate("entries", stable);
  expect((await viewOf("entries")).labels).toEqual({ stable, canary });
  expect(await shift("entries", { stable }, [stable, 100])).toMatchObject({ ok: true });
  expect(await visit("entries")).toMatchObject({ status: 200, release: "1" });
});

test("weight on a deactivated revision is accepted and is an outage, which is detected and ended", async () => {
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

test("an app whose last active revision was deactivated is activated again", async () => {
  const stable = await ready("down", "1");
  await deactivate("down", stable);
  expect(await visit("down")).toMatchObject({ status: 503 });
  expect(await revisionOf("down", stable)).toMatchObject({ active: false });
  expect(await shift("down", { stable }, [stable, 100])).toMatchObject({ ok: true });
  expect(await visit("down")).toMatchObject({ status: 200, release: "1" });
});

test("the share of a canary that is not ready gets errors, so the canary is probed at weight 0 first", async () => {
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
  // With equal weights, sixty requests miss one revision once in 10^18 runs.
  expect(
    new Set((await Promise.all(Array.from({ length: 60 }, () => visit("unready")))).map(({ status }) => status)),
  ).toEqual(new Set([200, 503]));
});

test("the weight of the latest revision goes to its predecessor until it is ready", async () => {
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

test("a shift writes the whole list: a revision that it leaves out loses its weight and label", async () => {
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

test("labels are read from the traffic, because revisions do not show them", async () => {
  const [stable, canary] = await pair("shown");
  await shift("shown", { stable, canary }, [stable, 50], [canary, 50]);
  expect((await viewOf("shown")).labels).toEqual({ stable, canary });
  const { value } = (await shop.arm("GET", `${group}/containerApps/shown/revisions`)).body as {
    readonly value: readonly { readonly properties: object }[];
  };
  expect(value.map(({ properties }) => "labels" in properties)).toEqual([false, false]);
});

test("a write succeeds although its revision never starts, and only the smoke test detects it", async () => {
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

test("a shift during another write gets a conflict, and still lands", async () => {
  const [stable, canary] = await pair("busy");
  let writes: readonly string[] = [];
  // The other write ends quickly, so ours, sent right after it, may be too late for a conflict.
  for (let percent = 1; percent <= 10 && !writes.includes("PATCH busy 409"); percent += 1) {
    let asked = 0;
    const behindAnother = async (): Promise<boolean> =>
      asked++ > 0 ||
      (await shop.arm("PATCH", `${group}/containerApps/busy`, { tags: { percent: String(percent) } })).status === 202;
    await shop.writes();
    const effect = shiftBetween({ resourceGroup, app: "busy" }, { stable, canary }, percent);
    const shifted = await apps.shift(effect, behindAnother);
    expect(shifted).toEqual({ ok: true, value: { weights: effect.weights } });
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

test("a changed secret creates no revision, and a running one keeps the old value until it is restarted", async () => {
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
  const { processes } = (await shop.arm("GET", "/_emulator/processes")).body as {
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

test("a write of the whole app must repeat each secret, and a shift need not", async () => {
  const first = await ready("unrepeated", "1", {
    configuration: { secrets: [{ name: "key", value: "hush" }] } as Configuration,
  });
  await expect(
    put("unrepeated", "2", { configuration: { secrets: [{ name: "key" }] } as Configuration }),
  ).rejects.toMatchObject({ statusCode: 400 });
  expect(await shift("unrepeated", { stable: first }, [first, 100])).toMatchObject({ ok: true });
});

test("a default that a write leaves out is present in a read", async () => {
  await put("defaults", "1");
  const { configuration, template } = (await shop.arm("GET", `${group}/containerApps/defaults`)).body.properties;
  expect([configuration.ingress.transport, configuration.ingress.allowInsecure, template.scale.cooldownPeriod]).toEqual(
    ["Auto", false, 300],
  );
});

test("session affinity is refused in Multiple mode, and shown in Single mode", async () => {
  const affinity = { ingress: { stickySessions: { affinity: "sticky" } } } as Configuration;
  const refusal = { statusCode: 400, code: "ContainerAppInvalidIngressStickySessionRevisionMode" };
  await expect(put("sticky", "1", { configuration: affinity })).rejects.toMatchObject(refusal);
  await ready("sticky", "1", { configuration: { ...affinity, activeRevisionsMode: "Single" } });
  expect((await viewOf("sticky")).sticky).toBe(true);
  await expect(
    patch("sticky", { configuration: { activeRevisionsMode: "Multiple" } as Configuration }),
  ).rejects.toMatchObject(refusal);
});

test("traffic is checked in Single mode too", async () => {
  await put("checked", "1", { configuration: { activeRevisionsMode: "Single" } as Configuration });
  const nowhere = [{ revisionName: "checked--nowhere", weight: 7 }];
  await expect(patchTraffic("checked", nowhere)).rejects.toMatchObject({ statusCode: 400 });
});

test("errors have Azure's three forms, and a refusal in each is read with its text", async () => {
  const setting = `${group}/managedEnvironments/shop/providers/Microsoft.Insights/diagnosticSettings/none`;
  const flat = await shop.arm("PUT", setting, { properties: {} }, "2021-05-01-preview");
  expect(flat.body).toEqual({ code: "BadRequest", message: "At least one data sink needs to be specified." });
  await put("forms", "1");
  const app = `${group}/containerApps/forms`;
  const traffic = [{ latestRevision: true, weight: 99.5 }];
  const broken = await shop.arm("PATCH", app, { properties: { configuration: { ingress: { traffic } } } });
  expect(broken).toMatchObject({ status: 400, body: { title: "One or more validation errors occurred." } });
  const said = [flat, broken].map(({ status, body }) => [
    describeAsked({ status, body, retryAfterSeconds: 0 }),
    messageOf({ status, body }),
  ]);
  expect(said).toEqual([
    ["400 BadRequest At least one data sink needs to be specified.", "At least one data sink needs to be specified."],
    ["400 One or more validation errors occurred.", "One or more validation errors occurred."],
  ]);
  await expect(patchTraffic("forms", traffic)).rejects.toMatchObject({ statusCode: 400 });
});

test("in Single mode the old revision is deactivated when the new one is ready", async () => {
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

test("a revision that listens on another port is never healthy, and its probe fails", async () => {
  const { latestRevisionName: revision } = await put("port", "1", { variables: [{ name: "PORT", value: "3000" }] });
  await ready("port", "2", {
    configuration: { ingress: { traffic: [{ revisionName: revision!, weight: 100 }] } } as Configuration,
  }); // By then the first would be, too.
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

test("a revision without a minimum scales to zero, and a probe wakes it and is answered", async () => {
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

test("a revision that was inactive for long is purged, and its labels remain", async () => {
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
    reason: `revision ${old} no longer exists, so it cannot receive traffic`,
  });
  expect(await shift("purged", { stable }, [stable, 100])).toMatchObject({ ok: true });
  expect(
    (await shop.arm("GET", `${group}/containerApps/purged`)).body.properties.configuration.ingress.traffic,
  ).toEqual([{ revisionName: stable, weight: 100, label: "stable" }]);
});
