// A storm: so many alerts within one minute, on so many apps, taken by the shipped intake and loop over virtual time.
// It measures what a decision costs in CPU, and how long an alert waits in virtual time for its first guards.
import { type AnyKind, registerKinds } from "../../engines/kind.ts";
import { remediationKind } from "../../engines/remediation/kind.ts";
import { secondsBetween } from "../../engines/time.ts";
import { incidentScenario } from "../../test/support/worlds/incident-scenario.ts";
import { runIncidents } from "../../test/support/worlds/incident-world.ts";
import { percentile } from "../performance/statistics.ts";

/** What a storm came to. */
export interface Storm {
  readonly incidents: number;
  readonly decisions: number;
  /** What a decision took, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** How long the critical alert, and all that got an incident, waited for their first guards, in virtual seconds. */
  readonly criticalSeconds: number;
  readonly p99Seconds: number;
}

/** Lets a storm come, of which the last alert alone is critical. */
export async function storm(alerts: number, apps: number): Promise<Storm> {
  const targets = Array.from({ length: apps }, (_, index) => `app/shop/a${index}`);
  const critical = targets.at(-1)!;
  const scenario = incidentScenario(
    "storm",
    {
      targets: Object.fromEntries(targets.map((target) => [target, []])),
      policies: { "app-failing": { ladder: ["collect-diagnostics"] } },
    },
    {
      alerts: Array.from({ length: alerts }, (_, index) => ({
        rule: "app-failing",
        target: index === alerts - 1 ? critical : targets[index % (apps - 1)]!,
        severity: index === alerts - 1 ? 0 : 3,
        atMinutes: index / alerts,
        resolvesAtMinutes: 30,
      })),
    },
  );
  const took: number[] = [];
  const { engine } = remediationKind;
  const timed: AnyKind = {
    ...remediationKind,
    engine: {
      ...engine,
      decide: (state: never, observation: never) => {
        const began = performance.now();
        const events = engine.decide(state, observation);
        took.push(performance.now() - began);
        return events;
      },
    },
  } as AnyKind;
  const { journals } = await runIncidents(scenario, { kinds: registerKinds([timed]) });
  const waits = journals.flatMap(({ target, events }) => {
    const guarded = events.find(({ kind }) => kind === "Guarded" || kind === "Held");
    return guarded === undefined ? [] : [{ target, seconds: secondsBetween(scenario.start, guarded.at) }];
  });
  return {
    incidents: journals.length,
    decisions: took.length,
    p50: percentile(took, 50),
    p99: percentile(took, 99),
    most: percentile(took, 100),
    criticalSeconds: waits.find(({ target }) => target === critical)?.seconds ?? Number.NaN,
    p99Seconds: percentile(
      waits.map((wait) => wait.seconds),
      99,
    ),
  };
}
