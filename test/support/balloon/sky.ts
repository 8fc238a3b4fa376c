// A control plane with balloons and ferries over memory: the real loop, API and rules of claims, and a performer that
// notes what it was asked to do. A test may change what any of its parts does.
import { createApp } from "../../../controlplane/api/app.ts";
import { appRoles } from "../../../controlplane/api/roles.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Performer, Streams } from "../../../controlplane/runtime/performer.ts";
import type { Claims, Journal } from "../../../controlplane/runtime/ports.ts";
import type { Result } from "../../../engines/engine.ts";
import { type AnyKind, type Kinds, registerKinds } from "../../../engines/kind.ts";
import { ferryKind } from "../ferry/kind.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "../worlds/memory.ts";
import { type BalloonEffect, balloonKind } from "./kind.ts";

/** What a test may change. */
export interface SkySetting {
  readonly kinds?: Kinds;
  readonly journal?: (journal: Journal) => Journal;
}

/** The control plane. */
export interface Sky {
  readonly journal: Journal;
  readonly claims: Claims;
  readonly orchestrator: Orchestrator;
  readonly logged: string[];
  /** The ropes of each rise, in order. */
  readonly rises: (readonly string[])[];
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
  ) => Promise<{ readonly status: number; readonly body: any }>;
  readonly close: () => Promise<void>;
}

const ropes = ["a", "b", "c"].map((rope) => `rope/${rope}`);

/** Opens it, and launches its loop. */
export async function openSky({
  kinds = registerKinds([balloonKind, ferryKind] as readonly AnyKind[]),
  journal: change = (journal) => journal,
}: SkySetting = {}): Promise<Sky> {
  const claims = memoryClaims(60);
  const journal = change(memoryJournal(kinds, claims.stillOurs));
  const logged: string[] = [];
  const rises: (readonly string[])[] = [];
  const orchestrator = createOrchestrator({
    ports: { journal, claims, clock: { now: Date.now } },
    kinds,
    performers: (streams) => ({ balloon: balloonPerformer(streams, rises) }),
    orchestrations: memoryOrchestrations(),
    process: "sky",
    leaseSeconds: 60,
    time: systemTime,
    log: (message) => void logged.push(message),
  });
  await orchestrator.launch();
  const app = createApp(
    {
      journal,
      claims,
      kinds,
      streams: orchestrator,
      managedApps: [],
      managedTargets: ropes,
      now: Date.now,
      process: "sky",
      closing: new AbortController().signal,
    },
    async () => ({ name: "ann", roles: appRoles }),
    (line) => void ("error" in line && logged.push(String(line["error"]))),
  );
  return {
    journal,
    claims,
    orchestrator,
    logged,
    rises,
    call: async (method, path, body) => {
      const headers = { "content-type": "application/json" };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await app.fetch(new Request(`http://sky${path}`, { method, headers, ...sent }));
      return { status: response.status, body: await response.json() };
    },
    close: () => orchestrator.close(),
  };
}

function balloonPerformer(streams: Streams, rises: (readonly string[])[]): Performer<BalloonEffect> {
  async function found(effect: BalloonEffect, cancel: AbortSignal): Promise<Result<unknown>> {
    if (effect.kind === "Await") return streams.follow(effect.stream, effect.until, cancel);
    if (effect.kind === "Ask") return streams.request(effect.stream, { ropes: ["c"], asks: null }, Date.now());
    rises.push(effect.ropes);
    return { ok: true, value: null };
  }
  return {
    isWrite: ({ kind }) => kind !== "Await",
    limitSeconds: () => 60,
    ready: () => Promise.resolve(),
    perform: async (effect, { cancel }) => ({
      kind: "Outcome",
      of: effect.kind,
      at: Date.now(),
      found: await found(effect, cancel),
    }),
  };
}
