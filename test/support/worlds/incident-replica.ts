// A control plane for remediations as a process of its own that a test may kill, on a real database: the shipped loop,
// intake and performer. What a runbook does to the world is a row of a table, and each row is one effect.
import { createInterface } from "node:readline";
import { openOrchestrations } from "../../../controlplane/adapters/dbos/orchestrations.ts";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { remediationPerformer } from "../../../controlplane/performers/remediation.ts";
import { takeAlerts } from "../../../controlplane/performers/remediation-intake.ts";
import type { RunbookPort, RunbookPorts } from "../../../controlplane/performers/remediation-ports.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import { type AnyEvent, type AnyKind, registerKinds } from "../../../engines/kind.ts";
import { remediationKind } from "../../../engines/remediation/kind.ts";
import { runbookNames } from "../../../engines/remediation/runbooks.ts";
import type { Policy, Sighting } from "../../../engines/remediation/vocabulary.ts";

/** How it is started. */
export interface IncidentReplicaSetting {
  readonly database: Database;
  readonly name: string;
  readonly leaseSeconds: number;
  readonly policy: Policy;
  /** Whether it dies after its first effect, before anything records it. */
  readonly diesAfterEffect: boolean;
}

/** What it is told: to take these alerts at a moment, or to recover what others left. */
export type IncidentCommand = { readonly take: readonly Sighting[]; readonly at: number } | { readonly recover: true };

const setting = JSON.parse(process.argv[2] ?? "{}") as IncidentReplicaSetting;
const { database, name, leaseSeconds, policy, diesAfterEffect } = setting;
const all: readonly AnyKind[] = [remediationKind];
const kinds = registerKinds(all);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const log = (message: string): void => say({ log: message });
const pool = openPool(database, log);
const journal = openJournal<AnyEvent>(pool, connectionOptions(database), kinds, log);
const claims = openClaims(pool, leaseSeconds);
const clock = clockOf(Date.now);
let fired: readonly Sighting[] = [];

/** Looks for the effect of its key, as each runbook does, and has it only if there is none. */
const runbook: RunbookPort = {
  plan: async (target) => ({ ok: true, value: { fits: true, message: "it fits", plan: `act on ${target}` } }),
  act: async ({ target, key }, fence) => {
    const known = await pool.query("select 1 from public.effects where key = $1", [key]);
    if (known.rowCount === 0) {
      if (!(await fence())) return { ok: false, reason: "the claim is lost" };
      await pool.query("insert into public.effects (key, target, process) values ($1, $2, $3)", [key, target, name]);
      if (diesAfterEffect) process.kill(process.pid, "SIGKILL");
    }
    return { ok: true, value: { message: "done" } };
  },
};

const orchestrator = createOrchestrator<AnyEvent>({
  ports: { journal, claims, clock },
  kinds,
  performers: () => ({
    remediation: remediationPerformer({
      // The actions of hundreds of others are another test's matter.
      actions: { list: async () => ({ ok: true, value: [] }) },
      work: { list: async () => ({ ok: true, value: [] }) },
      alerts: { list: async () => ({ ok: true, value: { alerts: fired, leftOut: 0 } }) },
      declarations: {
        load: () => ({ policy, graph: policy.targets.map((target) => ({ target, dependsOn: [] })) }),
        stopped: async () => null,
      },
      symptoms: {
        rows: async (_effect, now) => ({ ok: true, value: { samples: 100, bad: 0, to: now } }),
        budgetLeftPercent: async () => ({ ok: true, value: 100 }),
      },
      runbooks: Object.fromEntries(runbookNames.map((each) => [each, runbook])) as unknown as RunbookPorts,
      clock,
      requestSeconds: leaseSeconds / 2,
    }),
  }),
  orchestrations: openOrchestrations({ pool, process: name, log }),
  process: name,
  leaseSeconds,
  log,
});
await orchestrator.launch();

async function carryOut(command: IncidentCommand): Promise<void> {
  if ("recover" in command) return void (await orchestrator.recover());
  fired = command.take;
  while (Date.now() < command.at); // Both processes begin in the same millisecond, which no timer promises.
  const alerts = { list: async () => ({ ok: true, value: { alerts: fired, leftOut: 0 } }) as const };
  const taken = await takeAlerts(
    { alerts, start: orchestrator.start, known: new Set() },
    Date.now(),
    new AbortController().signal,
  );
  say(taken.ok ? { came: String(taken.value.length) } : { refused: taken.reason });
}

createInterface({ input: process.stdin }).on("line", (line) => {
  carryOut(JSON.parse(line) as IncidentCommand).catch((error: unknown) => say({ refused: String(error) }));
});
say({ launched: name });
