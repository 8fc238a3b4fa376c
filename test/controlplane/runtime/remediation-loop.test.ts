// A remediation from end to end, as a control plane runs it: a rule of the emulator fires on rows, the poll takes the
// alert, the loop decides and acts on the real app, and rows since the action verify it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { createSessions } from "../../../controlplane/adapters/credentials/sessions.ts";
import { remediationPerformer } from "../../../controlplane/performers/remediation.ts";
import {
  openAlerts,
  openHints,
  pollAlerts,
  type RemediationSetting,
  remediationWorld,
} from "../../../controlplane/remediations.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import { read } from "../../../engines/form.ts";
import { type AnyEvent, type AnyKind, registerKinds } from "../../../engines/kind.ts";
import { remediationsForm } from "../../../engines/remediation/declaration.ts";
import { remediationKind } from "../../../engines/remediation/kind.ts";
import { streamOf } from "../../../engines/remediation/names.ts";
import type { Incident } from "../../../engines/remediation/vocabulary.ts";
import { openShop, requestSeconds, type Shop } from "../../support/emulator/azure-shop.ts";
import { putFailingRule } from "../../support/emulator/failing-rule.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { incidentOn } from "../../support/worlds/incident-scenario.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "../../support/worlds/memory.ts";

const target = "app/shop/pair";
const all: readonly AnyKind[] = [remediationKind];
const kinds = registerKinds(all);
const closing = new AbortController();
let shop: Shop;
let group: string;
let journal: Journal<AnyEvent>;
let orchestrator: Orchestrator;
let polling: Promise<void>;

const declared = {
  targets: [{ target, dependsOn: [] }],
  policies: [
    {
      rule: "app-failing",
      owner: "shop team",
      targets: [target],
      ladder: [{ runbook: "restart-revision" }],
      verification: { delaySeconds: 0, windowSeconds: 2, intervalSeconds: 1, samplesMin: 5 },
      limits: { settleSeconds: 0 },
    },
  ],
};

beforeAll(async () => {
  shop = await openShop();
  group = `/subscriptions/${shop.cloud.subscription}/resourceGroups/shop`;
  await shop.release("1", [{ latestRevision: true, weight: 100 }]);
  // The app is older than its alert, of which a rule tells that looks at the past.
  await shop.arm("POST", "/_emulator/clock", { at: Date.now() - 600_000 });
  await putPair();
  await shop.arm("POST", "/_emulator/clock", { at: null });
  journal = memoryJournal<AnyEvent>(kinds, () => true, Date.now);
  const patience = patienceOf(requestSeconds);
  const parsed = read(remediationsForm, declared);
  if (!("value" in parsed)) throw new Error(parsed.complaints.join(" "));
  const clock = clockOf(Date.now);
  const setting: RemediationSetting = {
    issues: undefined,
    pauses: { current: async () => null },
    credentials: async () => [],
    sessions: createSessions({ password: "unused", tls: "disable" }),
    declared: parsed.value,
    connection: shop.connection,
    patience,
    resourceManager: shop.settings.resourceManager,
    subscription: shop.cloud.subscription,
    workspace: shop.workspace,
    ingestionSeconds: 0,
    requestSeconds,
    journal,
    kinds,
    apps: createContainerApps(shop.connection, patience),
    clock,
    log: () => undefined,
  };
  const alerts = openAlerts(setting);
  orchestrator = createOrchestrator<AnyEvent>({
    ports: { journal, claims: memoryClaims(600, Date.now), clock },
    kinds,
    performers: (streams) => ({ remediation: remediationPerformer(remediationWorld(setting, alerts, streams)) }),
    orchestrations: memoryOrchestrations(),
    process: "here",
    leaseSeconds: 600,
    log: () => undefined,
  });
  await orchestrator.launch();
  polling = pollAlerts(setting, alerts, orchestrator, closing.signal, 200, openHints(setting));
});
afterAll(async () => {
  closing.abort();
  await polling;
  await orchestrator?.close();
  await shop?.close();
});

/** Puts an app with two replicas, so that a restart is no outage. */
async function putPair(): Promise<void> {
  const apps = `${group}/providers/Microsoft.App/containerApps`;
  const { properties } = (await shop.arm("GET", `${apps}/storefront`)).body;
  await shop.arm("PUT", `${apps}/pair`, {
    location: "westeurope",
    properties: {
      managedEnvironmentId: properties.managedEnvironmentId,
      configuration: { ingress: { external: true, targetPort: 8080 } },
      template: { containers: properties.template.containers, scale: { minReplicas: 2, maxReplicas: 2 } },
    },
  });
  await eventually(async () => {
    const { properties: shown } = (await shop.arm("GET", `${apps}/pair`)).body;
    const { value } = (await shop.arm("GET", `${apps}/pair/revisions/${shown.latestReadyRevisionName}/replicas`)).body;
    return value?.length === 2;
  }, "two replicas to run");
}

const rows = (from: number, count: number, status: number, everyMilliseconds: number) =>
  shop.arm("POST", "/_emulator/rows", {
    rows: Array.from({ length: count }, (_, index) => {
      const at = new Date(from + index * everyMilliseconds).toISOString();
      return {
        TenantId: shop.workspace,
        ContainerAppName: "pair",
        StatusCode: status,
        TimeGenerated: at,
        visibleAt: at,
      };
    }),
  });

const eventsOf = async (stream: string): Promise<readonly any[]> =>
  (await journal.read(stream)).map(({ event }) => event);

test("a drill goes through every guard, prints the plan and writes nothing", async () => {
  const asked = incidentOn(target, { id: "drill-1", severity: 3 });
  const incident: Incident = { ...asked, origin: "drill", message: "game day", requestedBy: "ann" };
  await shop.writes();
  await orchestrator.start(streamOf(incident), { kind: "Request", at: Date.now(), intent: incident });
  const last = await eventually(async () => {
    const events = await eventsOf(streamOf(incident));
    return events.at(-1)?.kind === "Finished" && events.at(-1);
  }, "the drill to end");
  expect(last).toMatchObject({
    result: "drilled",
    message: expect.stringMatching(/^drill: nothing was changed; would restart the 2 replicas of pair--/),
  });
  expect(await shop.writes()).toEqual([]);
});

test("an alert leads to one action on the app, which rows since then verify", async () => {
  // The rule looks at a minute of the past, so that nobody waits for it.
  const now = Date.now();
  await shop.arm("POST", "/_emulator/clock", { at: now - 120_000 });
  await putFailingRule(shop, "app-failing", 1);
  await rows(now - 110_000, 10, 500, 100);
  await shop.writes();
  await shop.arm("POST", "/_emulator/clock", { at: null });
  const stream = await eventually(async () => {
    const streams = await journal.streams({ kind: "remediation" });
    return streams.find((each) => !each.includes("drill"));
  }, "the alert to be taken");
  await eventually(async () => (await eventsOf(stream)).some(({ kind }) => kind === "Acted"), "the action");
  await rows(Date.now(), 100, 200, 100);
  const events = await eventually(async () => {
    const found = await eventsOf(stream);
    return found.at(-1)?.kind === "Finished" && found;
  }, "the remediation to end");
  expect(events.at(-1)).toMatchObject({ result: "repaired", reason: "verified" });
  expect(events.find(({ kind }) => kind === "Guarded").checked.map(({ guard }: any) => guard)).toContain(
    "blast-radius",
  );
  expect(await shop.writes()).toEqual([expect.stringMatching(/restart 200$/)]);
  expect((await journal.streams({ kind: "remediation" })).length).toBe(2);
});
