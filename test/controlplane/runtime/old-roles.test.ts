// A rollout and a rotation in one loop, over virtual time: the rollout's revision logs in with the role that the
// rotation has closed, so the rollout asks through the loop's own port, and starts the revision once the role is open.
import { expect, it } from "vitest";
import { openOldRoles } from "../../../controlplane/performers/old-roles.ts";
import { rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Performer } from "../../../controlplane/runtime/performer.ts";
import { type AnyEvent, type AnyKind, registerKinds } from "../../../engines/kind.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import type { ReleaseIntent } from "../../../engines/rollout/vocabulary.ts";
import { rotationKind } from "../../../engines/rotation/kind.ts";
import type { RotationEffect } from "../../../engines/rotation/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import { createLoop, type Host } from "../../../proofs/simulator/loop.ts";
import { beginLife } from "../../../proofs/simulator/virtual-time.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "../../support/worlds/memory.ts";
import { run } from "../../support/worlds/rotation-run.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";

const target = { resourceGroup: "shop", app: "storefront" };
const rotationStream = "rotation/kv/database/r1";
const all: readonly AnyKind[] = [rolloutKind, rotationKind];
const kinds = registerKinds(all);
const intent: ReleaseIntent = {
  target,
  revision: "storefront--1",
  release: "one",
  strategy: defaultStrategy,
  thresholds: defaultThresholds,
  probePath: "/",
  requestedBy: "ann",
};
const never = async () => ({ ok: false, reason: "not in this test" }) as const;
const revision = (name: string, secret: string, active: boolean) => ({
  name,
  active,
  running: "Running",
  health: "Healthy",
  templateHash: name,
  secrets: [secret],
});
const view = {
  weights: [{ revision: "storefront--2", percent: 100 }],
  revisions: [revision("storefront--1", "database-a", false), revision("storefront--2", "database-b", true)],
};

it("opens the closed role before the revision is activated, and asks for it once", async () => {
  const { journal: rotated } = await run(scenarioOf("replaces-a-version-that-is-due"));
  const graced = rotated.slice(0, rotated.findIndex(({ kind }) => kind === "LoginSet") + 1);
  const loop = createLoop(graced.at(-1)!.at);
  const { time } = beginLife(loop, { name: "process", life: 0, up: true, asleepUntil: 0, sleptAt: 0 } satisfies Host);
  const clock = clockOf(loop.now, time);
  const claims = memoryClaims(600, loop.now);
  const journal = memoryJournal<AnyEvent>(kinds, claims.stillOurs, loop.now);
  await journal.append(rotationStream, [], graced, { process: "before" });
  const acts: string[] = [];
  const rotating: Performer<RotationEffect> = {
    isWrite: ({ kind }) => kind === "SetLogin",
    limitSeconds: () => 0,
    ready: async () => undefined,
    perform: async (effect) => {
      const { kind } = effect;
      if (kind === "Wait") await clock.until(effect.until, new AbortController().signal);
      if (kind !== "SetLogin") return { kind: "Outcome", of: kind, at: loop.now(), found: await never() };
      acts.push(`login of ${effect.slot}: ${effect.login}`);
      return { kind: "Outcome", of: kind, at: loop.now(), found: { ok: true, value: { login: effect.login } } };
    },
  };
  const process = createOrchestrator<AnyEvent>({
    ports: { journal, claims, clock },
    kinds,
    performers: (asked) => ({
      rotation: rotating,
      rollout: rolloutPerformer({
        apps: {
          repoint: never,
          shift: never,
          readTraffic: never,
          probe: never,
          deactivate: never,
          inspect: async () => ({ ok: true, value: view }),
          activate: async () => {
            acts.push("activated");
            return { ok: true, value: null };
          },
        },
        requests: { measure: never },
        oldRoles: openOldRoles(journal, asked),
        claims,
        clock,
        requestSeconds: 10,
        time,
      }),
    }),
    orchestrations: memoryOrchestrations(),
    time,
    process: "process",
    leaseSeconds: 600,
    log: (message) => acts.push(message),
  });
  await process.launch();
  await process.start(streamOf(target, intent.revision), { kind: "Request", at: loop.now(), intent });
  await loop.until(after(loop.now(), 600), () => acts.includes("activated"));
  expect(acts).toEqual(["login of a: true", "activated"]);
  const facts = (await journal.read(rotationStream)).map(({ event }) => event);
  expect(facts.filter(({ kind }) => kind === "Signalled")).toMatchObject([
    { signal: "open", by: "the control plane", about: "rollout/shop/storefront/storefront--1" },
  ]);
});
