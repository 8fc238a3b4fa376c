// What a remediation reads of the journal beside its own stream: the work of other kinds that is in flight or ended a
// moment ago, and the actions of other remediations. It asks again and again while it waits.
import { expect, it } from "vitest";
import { actionsInJournal, workInJournal } from "../../../controlplane/performers/remediation-situation.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import { type AnyEvent, type AnyKind, registerKinds } from "../../../engines/kind.ts";
import { remediationKind } from "../../../engines/remediation/kind.ts";
import { appendAtEnd, waited } from "../../support/controlplane/journals.ts";
import { quickRequest } from "../../support/worlds/cloud-in-table.ts";
import { incidentScenarios } from "../../support/worlds/incident-scenario.ts";
import { runIncidents } from "../../support/worlds/incident-world.ts";
import { memoryJournal } from "../../support/worlds/memory.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const planned = (app: string): AnyEvent =>
  ({
    kind: "Planned",
    at: 1000,
    intent: quickRequest({ resourceGroup: "Shop", app }, [50]).intent,
    steps: [50, 100],
  }) as AnyEvent;
const finished = (at: number): AnyEvent =>
  ({ kind: "Finished", at, result: "promoted", reason: "every-step-passed", message: "good" }) as AnyEvent;

const journals: Readonly<Record<string, readonly AnyEvent[]>> = {
  "rollout/shop/pay/pay--2": [planned("pay"), finished(2000)],
  "rollout/shop/cart/cart--2": [planned("cart"), finished(9000)],
  "rollout/shop/web/web--2": [planned("Web"), waited(5)],
};

/** Counts the facts that leave a journal. */
function counted(journal: Journal): { readonly journal: Journal; readonly read: () => number } {
  let facts = 0;
  return {
    read: () => facts,
    journal: {
      ...journal,
      read: async (stream, known = []) => {
        const all = await journal.read(stream, known);
        facts += all.length - known.length;
        return all;
      },
    },
  };
}

it("is in flight, or has ended since a moment, and no journal is read for it", async () => {
  const kinds = registerKinds(rollouts.all as readonly AnyKind[]);
  const { journal, read } = counted(memoryJournal(kinds));
  for (const [stream, events] of Object.entries(journals)) await appendAtEnd(journal, stream, events, { process: "p" });
  const before = read();
  expect(await workInJournal(journal, kinds).list(5000)).toEqual({
    ok: true,
    value: [
      { stream: "rollout/shop/web/web--2", target: "app/shop/web", endedAt: null },
      { stream: "rollout/shop/cart/cart--2", target: "app/shop/cart", endedAt: 9000 },
    ],
  });
  expect(read()).toBe(before);
});

it("is what other remediations did, of which each fact is read once", async () => {
  const scenario = incidentScenarios().find(({ name }) => name.startsWith("undoes-what-made-it-worse"))!;
  const [run] = (await runIncidents(scenario)).journals;
  const events: readonly AnyEvent[] = run!.events;
  const acted = events.findIndex(({ kind }) => kind === "Acted") + 1;
  const { journal, read } = counted(memoryJournal(registerKinds([remediationKind as AnyKind])));
  await journal.append(run!.stream, [], events.slice(0, acted), { process: "p" });
  const actions = actionsInJournal(journal);
  const stagesSeenBy = async (own: string) => {
    const before = read();
    const listed = await actions.list(own, 0);
    return { stages: listed.ok && listed.value.map(({ stage }) => stage), facts: read() - before };
  };
  expect(await stagesSeenBy("remediation/another")).toEqual({ stages: ["acted"], facts: acted });
  expect(await stagesSeenBy("remediation/another")).toEqual({ stages: ["acted"], facts: 0 });
  await journal.append(run!.stream, await journal.read(run!.stream), events.slice(acted), { process: "p" });
  const grown = await stagesSeenBy("remediation/another");
  expect(grown.facts).toBe(events.length - acted);
  expect(grown.stages).toContain("ended");
  expect(await stagesSeenBy(run!.stream)).toEqual({ stages: [], facts: 0 });
  expect((await stagesSeenBy("remediation/another")).facts).toBe(0);
});
