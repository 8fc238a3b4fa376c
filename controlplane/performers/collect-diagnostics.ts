// The runbook that collects what a person wants to see first: what Azure and the database show, and what was released
// and rotated last. It changes nothing, and whatever cannot be read is said to be missing.
import { found } from "../../engines/engine.ts";
import { duration, secondsBetween } from "../../engines/time.ts";
import { many } from "../../engines/wording.ts";
import type { Clock, Journal } from "../runtime/ports.ts";
import { type Declared, databaseOf } from "./incident-database.ts";
import type { Evidence, RunbookPort, Sessions } from "./remediation-ports.ts";

/** What the runbook needs. */
export interface DiagnosticsWorld {
  readonly azure: Evidence;
  readonly credentials: Declared;
  readonly sessions: Sessions;
  readonly journal: Pick<Journal, "streams" | "show">;
  readonly clock: Pick<Clock, "now">;
}

const never = new AbortController().signal;

/** Makes the runbook. */
export const collectDiagnostics = (world: DiagnosticsWorld): RunbookPort => ({
  plan: async (target) =>
    found({ fits: true, message: "it changes nothing", plan: `collect the evidence about ${target}` }),
  act: async ({ target, rung: { credential } }) => {
    const parts = await Promise.all([
      world.azure(target, never).catch(missing("Azure")),
      credential === undefined ? [] : databaseLines(world, credential, target).catch(missing("the database")),
      historyLines(world, target, credential).catch(missing("the journal")),
    ]);
    const evidence = parts.flat();
    return found({ message: `${many(evidence.length, "line")} of evidence collected`, evidence });
  },
});

const missing = (what: string) => (): readonly string[] => [`${what} cannot be read`];

async function databaseLines(
  { credentials, sessions }: DiagnosticsWorld,
  named: string,
  target: string,
): Promise<readonly string[]> {
  const database = await databaseOf(credentials, named, target);
  const seen = database.ok ? await sessions.evidence(database.value) : database;
  return seen.ok ? seen.value : [`the database cannot be read: ${seen.reason}`];
}

/** Gives the last release of an app and the last rotation of the credential: most trouble begins with a change. */
async function historyLines(
  world: DiagnosticsWorld,
  target: string,
  credential: string | undefined,
): Promise<readonly string[]> {
  const [, resourceGroup, name] = target.split("/");
  const isApp = target.startsWith("app/");
  const lines = await Promise.all([
    isApp ? lastLine(world, "rollout", `${resourceGroup}/${name}`) : undefined,
    credential === undefined ? undefined : lastLine(world, "rotation", credential.toLowerCase()),
  ]);
  return lines.filter((line) => line !== undefined);
}

async function lastLine({ journal, clock }: DiagnosticsWorld, kind: string, of: string): Promise<string> {
  const [stream] = await journal.streams({ prefix: `${kind}/${of}/` });
  const shown = stream === undefined ? undefined : await journal.show(stream);
  if (shown === undefined || !("overview" in shown)) return `the journal has no ${kind} of ${of}`;
  const { startedAt, message } = (shown.overview.summary ?? {}) as { startedAt?: number; message?: string };
  const age = startedAt === undefined ? "" : `, ${duration(secondsBetween(startedAt, clock.now()))} ago`;
  return `the last ${kind} was ${shown.stream}${age}: ${message ?? "no message"}`;
}
