// The blast radius under every interleaving: several remediations read and write in any order, with clocks that differ.
// There is no lock, so this shows that a reservation that is written before the others are read is enough. fast-check
// prints the seed of a failed property.
import fc from "fast-check";
import { expect, it } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { defaultsOf } from "../../../engines/form.ts";
import { entriesOf } from "../../../engines/remediation/ledger.ts";
import { limitsForm, type Policy, verificationForm } from "../../../engines/remediation/policy.ts";
import { remediation } from "../../../engines/remediation/remediation.ts";
import type {
  Entry,
  RemediationEffect,
  RemediationEvent,
  RemediationObservation,
  Situation,
} from "../../../engines/remediation/vocabulary.ts";

const policyOf = (targets: readonly string[], blastRadiusMax: number): Policy => ({
  rule: "app-failing",
  owner: "shop team",
  targets,
  ladder: [{ runbook: "restart-revision", approval: "none" }],
  verification: { ...defaultsOf(verificationForm), samplesMin: 1 },
  limits: { ...defaultsOf(limitsForm), blastRadiusMax, settleSeconds: 0, stormTargetsMax: 100 },
});

interface Run {
  readonly target: string;
  readonly journal: RemediationEvent[];
  /** What its clock adds to the true time. */
  readonly skew: number;
  /** An answer that was read and is not decided on yet. */
  coming: RemediationObservation | undefined;
}

const stateOf = ({ journal }: Run) => fold(remediation, journal);
const isOpen = ({ stage }: Entry): boolean => stage === "cleared" || stage === "acted";

function hear(run: Run, observation: RemediationObservation): void {
  run.journal.push(...remediation.decide(stateOf(run), observation));
}

const situationOf = (run: Run, all: readonly Run[]): Situation => ({
  alerts: [],
  alertsLeftOut: 1,
  actions: all.filter((other) => other !== run).flatMap((other) => entriesOf(stateOf(other))),
  work: [],
  budgetLeftPercent: 50,
  stopped: null,
  readiness: { fits: true, message: "fits", plan: "restart it" },
});

function answerTo(effect: RemediationEffect, run: Run, all: readonly Run[], policy: Policy): unknown {
  switch (effect.kind) {
    case "LoadPolicy":
      return { policy, graph: all.map(({ target }) => ({ target, dependsOn: [] })) };
    case "Assess":
      return situationOf(run, all);
    case "Act":
      return { message: "done" };
    case "Measure":
      return { samples: 10, bad: 0, to: effect.from + 3_600_000 };
    default:
      return null;
  }
}

/** Lets one remediation read, or decide on what it read before: the world may have changed in between. */
function step(run: Run, all: readonly Run[], policy: Policy, now: number): void {
  if (run.coming !== undefined) {
    hear(run, run.coming);
    run.coming = undefined;
    return;
  }
  const effect = remediation.react(stateOf(run));
  if (effect === undefined) return;
  const at = Math.max(now + run.skew, effect.kind === "Wait" ? effect.until : 0);
  const value = answerTo(effect, run, all, policy);
  run.coming = { kind: "Outcome", of: effect.kind, at, found: { ok: true, value } } as RemediationObservation;
}

it("is never exceeded, and every remediation ends", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 1, max: 2 }),
      fc.array(fc.integer({ min: -3000, max: 3000 }), { minLength: 4, maxLength: 4 }),
      fc.array(fc.nat({ max: 3 }), { maxLength: 300 }),
      (count, blastRadiusMax, skews, order) => {
        const targets = Array.from({ length: count }, (_, index) => `app/shop/a${index}`);
        const policy = policyOf(targets, blastRadiusMax);
        const runs: Run[] = targets.map((target, index) => ({
          target,
          journal: [],
          skew: skews[index]!,
          coming: undefined,
        }));
        for (const [index, run] of runs.entries())
          hear(run, {
            kind: "Request",
            at: 1_000_000,
            intent: {
              target: run.target,
              origin: "person",
              alert: {
                id: `i${index}`,
                kind: "log",
                rule: "app-failing",
                severity: 2,
                condition: "fired",
                firedAt: 1_000_000,
                resources: [],
                dimensions: {},
              },
              message: "failing",
              requestedBy: "ann",
            },
          });
        let now = 1_000_000;
        const check = (): void => {
          const open = runs.filter((run) => entriesOf(stateOf(run)).some(isOpen)).length;
          expect(open).toBeLessThanOrEqual(blastRadiusMax);
        };
        for (const who of order) {
          step(runs[who % count]!, runs, policy, now);
          now += 100;
          check();
        }
        // From here on every one has its turn, so that each must come to its end.
        for (let turn = 0; turn < 2000 && runs.some((run) => stateOf(run).phase !== "finished"); turn++) {
          for (const run of runs) step(run, runs, policy, now);
          now += 1000;
          check();
        }
        expect(runs.map((run) => stateOf(run).ending?.result)).toEqual(runs.map(() => "repaired"));
      },
    ),
    { numRuns: 150 },
  );
});
