// The cases that a remediation must survive, as a table: what is declared, what the world does, and the required
// outcome. Each runs in every world; a run is staged by the keys of its world.
import { endlessJob } from "./incident-truth.ts";
import type { IncidentRun } from "./incident-world.ts";

/** A case, by the number that it has in the list of failure modes. */
export interface IncidentCase {
  readonly name: string;
  readonly declared?: Readonly<Record<string, any>>;
  readonly world: Readonly<Record<string, any>>;
  /** How each incident ends: its result and its reason, with how many incidents end so if there are several. */
  readonly ends: readonly string[];
  /** What is done to the world: the runbook, and the minute. */
  readonly done: readonly string[];
  /** What it tells a person at once, or collects, if that is what the case is about. */
  readonly says?: readonly string[];
}

const onWeb = (more: object = {}) => ({ rule: "app-failing", ...more });
const policies = (more: object = {}) => ({ "app-failing": { ladder: ["restart-revision"], ...more } });
const cured = { "app/shop/web": { curedBy: ["restart-revision"] } };
const fifty = Array.from({ length: 50 }, (_, index) => `app/shop/a${index}`);
const selfHealed = ["self-healed cleared-by-itself"];
const verified = ["repaired verified"];
const exhausted = ["person-called ladder-exhausted"];

/** All cases. */
export const incidentCases: readonly IncidentCase[] = [
  {
    name: "1: the same alert that several polls see again and again leads to one execution",
    world: { alerts: [onWeb()], symptoms: cured },
    ends: verified,
    done: ["restart-revision at 2"],
  },
  {
    name: "2: an alert that has resolved before it is seen starts nothing",
    world: { alerts: [onWeb({ resolvesAtMinutes: 0 })], symptoms: cured },
    ends: [],
    done: [],
  },
  {
    name: "2: an alert that resolves during an action is verified",
    world: { alerts: [onWeb({ resolvesAtMinutes: 3 })], symptoms: cured },
    ends: verified,
    done: ["restart-revision at 2"],
  },
  {
    name: "3: flapping settles, and then calls a person",
    world: {
      alerts: [
        ...[0, 4, 8, 12, 16].map((atMinutes) => onWeb({ atMinutes, resolvesAtMinutes: atMinutes + 1 })),
        onWeb({ atMinutes: 20 }),
      ],
    },
    ends: ["5 self-healed cleared-by-itself", "person-called flapping"],
    done: [],
  },
  {
    name: "4: two rules with the same cause lead to one incident and one action",
    declared: { policies: { ...policies(), "app-slow": { ladder: ["restart-revision"] } } },
    world: { alerts: [onWeb(), { rule: "app-slow" }], symptoms: cured },
    ends: verified,
    done: ["restart-revision at 2"],
  },
  {
    name: "4: two rules that fire a minute apart for the same cause lead to one incident and one action",
    declared: { policies: { ...policies(), "app-slow": { ladder: ["restart-revision"] } } },
    world: { alerts: [onWeb(), { rule: "app-slow", atMinutes: 1 }], symptoms: cured },
    ends: verified,
    done: ["restart-revision at 2"],
  },
  {
    name: "4: two rules that fire a second apart for the same cause lead to one incident and one action",
    declared: { policies: { ...policies(), "app-slow": { ladder: ["restart-revision"] } } },
    world: { alerts: [onWeb(), { rule: "app-slow", atMinutes: 1 / 60 }], symptoms: cured },
    ends: verified,
    done: ["restart-revision at 2"],
  },
  {
    name: "4: an app that fires a second after what it depends on leads to one action, on the cause",
    declared: {
      targets: { "app/shop/web": ["app/shop/cart"], "app/shop/cart": [] },
      policies: { ...policies(), "cart-failing": { ladder: ["restart-revision"] } },
    },
    world: {
      alerts: [{ rule: "cart-failing", target: "app/shop/cart" }, onWeb({ atMinutes: 1 / 60 })],
      symptoms: { "app/shop/cart": { curedBy: ["restart-revision"] } },
    },
    ends: ["attributed upstream-cause", ...verified],
    done: ["restart-revision at 2"],
  },
  {
    name: "5: fifty targets at once, because what they share is down, lead to one call and to no action",
    declared: {
      targets: { ...Object.fromEntries(fifty.map((name) => [name, ["server/shop/db"]])), "server/shop/db": [] },
      policies: policies(),
    },
    world: { alerts: fifty.map((target) => onWeb({ target })) },
    ends: ["49 attributed common-cause", "person-called common-cause"],
    done: [],
  },
  {
    name: "6: an action that makes it worse is undone, and the next rung is tried",
    declared: { policies: policies({ ladder: ["return-to-previous", "restart-revision"] }) },
    world: { alerts: [onWeb()], symptoms: { "app/shop/web": { worsenedBy: ["return-to-previous"] } } },
    ends: exhausted,
    done: ["return-to-previous at 2", "undo at 13", "restart-revision at 13"],
  },
  {
    name: "7: an action that succeeds while the symptom stays is a failure",
    world: { alerts: [onWeb()], symptoms: { "app/shop/web": {} } },
    ends: exhausted,
    done: ["restart-revision at 2"],
  },
  {
    name: "7: a job that never ends is stopped before it is undone, and the next rung is tried",
    declared: {
      policies: policies({
        ladder: [{ runbook: "start-job", job: endlessJob, undoJob: "drop-cache" }, "restart-revision"],
      }),
    },
    world: { alerts: [onWeb()], symptoms: cured },
    ends: verified,
    done: ["start-job at 2", "halt at 32", "undo at 32", "restart-revision at 32"],
  },
  {
    name: "7: a job that never ends and cannot be stopped is left to a person, and nothing runs beside it",
    declared: {
      policies: policies({
        ladder: [{ runbook: "start-job", job: endlessJob, undoJob: "drop-cache" }, "restart-revision"],
      }),
    },
    world: { alerts: [onWeb()], symptoms: cured, failing: { halt: "403 AuthorizationFailed" } },
    ends: ["person-called halt-failed"],
    done: ["start-job at 2"],
  },
  {
    name: "7: an undo that never ends is stopped, and what is not undone is left to a person",
    declared: {
      policies: policies({
        ladder: [{ runbook: "start-job", job: "warm-cache", undoJob: endlessJob }, "restart-revision"],
      }),
    },
    world: { alerts: [onWeb()], symptoms: cured },
    ends: ["person-called undo-failed"],
    done: ["start-job at 2", "undo at 13", "halt at 43"],
  },
  {
    name: "8: a symptom that clears by itself is left alone",
    world: { alerts: [onWeb({ resolvesAtMinutes: 1 })] },
    ends: selfHealed,
    done: [],
  },
  {
    name: "9 and 10: an action whose answer is lost is repeated under the same key, and has one effect",
    world: { alerts: [onWeb()], symptoms: cured, lostAnswers: ["restart-revision"] },
    ends: verified,
    done: ["restart-revision at 2"],
  },
  {
    name: "11: without any delivery the poll finds an alert that fired while nobody looked",
    world: { alerts: [onWeb({ atMinutes: -10 })], symptoms: cured },
    ends: verified,
    done: ["restart-revision at 0"],
  },
  {
    name: "12: an old alert that is still fired calls a person instead of acting",
    world: { alerts: [onWeb({ atMinutes: -90 })], symptoms: cured },
    ends: ["person-called stale"],
    done: [],
  },
  {
    name: "13: an alert on what is not declared starts nothing",
    world: { alerts: [onWeb({ target: null })] },
    ends: [],
    done: [],
  },
  {
    name: "14: an alert of a kind that is never acted on starts nothing",
    world: { alerts: [onWeb({ kind: "smart-detection" })] },
    ends: [],
    done: [],
  },
  {
    name: "15: while telemetry is missing nothing destructive is done",
    declared: { policies: policies({ limits: { maximumSeconds: 1800 } }) },
    world: { alerts: [onWeb()], symptoms: cured, missing: [{ what: "alerts", fromMinutes: 1 }] },
    ends: ["person-called time-expired"],
    done: [],
  },
  {
    name: "16: an alert from far in the future is refused",
    world: { alerts: [onWeb({ aheadMinutes: 60 })], symptoms: cured },
    ends: ["refused stale"],
    done: [],
  },
  {
    name: "17: an approval that comes after the alert has resolved leads to no action",
    declared: { policies: policies({ ladder: [{ runbook: "restart-revision", approval: "needed" }] }) },
    world: {
      alerts: [onWeb({ resolvesAtMinutes: 10 })],
      symptoms: cured,
      signals: [{ atMinutes: 20, signal: "approve", by: "ann", message: "go", mayApprove: true }],
    },
    ends: selfHealed,
    done: [],
  },
  {
    name: "17: an approval that comes after its time leads to no action",
    declared: {
      policies: policies({
        ladder: [{ runbook: "restart-revision", approval: "needed" }],
        limits: { approvalSeconds: 900 },
      }),
    },
    world: {
      alerts: [onWeb()],
      symptoms: cured,
      signals: [{ atMinutes: 20, signal: "approve", by: "ann", message: "go", mayApprove: true }],
    },
    ends: ["person-called not-approved"],
    done: [],
  },
  {
    name: "18: a rollout in flight holds the remediation until its wake is over",
    world: {
      alerts: [onWeb()],
      symptoms: cured,
      work: [{ stream: "rollout/shop/web/web--2", target: "app/shop/web", fromMinutes: -2, toMinutes: 20 }],
    },
    ends: verified,
    done: ["restart-revision at 30"],
  },
  {
    name: "19: an alert that our own action trips is not acted on",
    declared: { policies: { ...policies(), restarts: { ladder: ["restart-revision"] } } },
    world: { alerts: [onWeb(), { rule: "restarts", atMinutes: 13, resolvesAtMinutes: 20 }], symptoms: cured },
    ends: [...verified, ...selfHealed],
    done: ["restart-revision at 2"],
  },
  {
    name: "20 and 21: a runbook that does not fit is left, and in the end a person is called",
    declared: { policies: policies({ ladder: ["restart-revision", "return-to-previous"] }) },
    world: {
      alerts: [onWeb()],
      unfit: { "restart-revision": "it is all the capacity", "return-to-previous": "it no longer exists" },
    },
    ends: exhausted,
    done: [],
  },
  {
    name: "20: an app that Azure cannot show for a moment is read again, and then acted on",
    declared: { policies: policies({ ladder: ["restart-revision", "return-to-previous"] }) },
    world: { alerts: [onWeb()], symptoms: cured, missing: [{ what: "app", fromMinutes: 0, toMinutes: 3 }] },
    ends: verified,
    done: ["restart-revision at 3.25"],
  },
  {
    name: "20: an app that Azure cannot show for long is left to a person, with diagnostics",
    declared: { policies: policies({ ladder: ["restart-revision", "collect-diagnostics"] }) },
    world: { alerts: [onWeb()], symptoms: cured, missing: [{ what: "app", fromMinutes: 0 }] },
    ends: exhausted,
    done: [],
    says: ["top exception of app/shop/web"],
  },
  {
    name: "21: an app that was deleted after its alert fired is left to a person, with diagnostics",
    declared: { policies: policies({ ladder: ["restart-revision", "collect-diagnostics"] }) },
    world: { alerts: [onWeb()], symptoms: cured, gone: [{ target: "app/shop/web", fromMinutes: 1 }] },
    ends: exhausted,
    done: [],
    says: ["top exception of app/shop/web"],
  },
  {
    name: "21: an app that was deleted and made again under its name is not the one of which the alert tells",
    world: { alerts: [onWeb()], symptoms: cured, gone: [{ target: "app/shop/web", fromMinutes: 0.5, toMinutes: 1.5 }] },
    ends: exhausted,
    done: [],
  },
  {
    name: "21: an app that was made again before its alert fired is acted on",
    world: {
      alerts: [onWeb({ atMinutes: 5 })],
      symptoms: cured,
      gone: [{ target: "app/shop/web", fromMinutes: 1, toMinutes: 3 }],
    },
    ends: verified,
    done: ["restart-revision at 7"],
  },
  {
    name: "22: without the budget nothing destructive is done",
    declared: { policies: policies({ limits: { maximumSeconds: 1800 } }) },
    world: { alerts: [onWeb()], budgetLeftPercent: null },
    ends: ["person-called time-expired"],
    done: [],
  },
  {
    name: "22: without the budget diagnostics are collected",
    declared: { policies: policies({ ladder: ["collect-diagnostics"] }) },
    world: { alerts: [onWeb()], budgetLeftPercent: null },
    ends: exhausted,
    done: [],
    says: ["top exception of app/shop/web"],
  },
  {
    name: "23: a run keeps the policy with which it began, and the next one has the new policy",
    world: {
      alerts: [onWeb(), onWeb({ atMinutes: 40 })],
      symptoms: cured,
      changes: [
        {
          atMinutes: 1,
          policies: policies({
            ladder: ["end-blocking-session"],
            limits: { cooldownSeconds: 1500, lookBackSeconds: 1200 },
          }),
        },
      ],
    },
    ends: ["person-called ladder-exhausted", "repaired verified"],
    done: ["restart-revision at 2", "end-blocking-session at 42"],
  },
  {
    name: "24: an alert that fires while our own identity changes is acted on once the alerts can be read again",
    world: { alerts: [onWeb()], symptoms: cured, missing: [{ what: "alerts", fromMinutes: -5, toMinutes: 12 }] },
    ends: verified,
    done: ["restart-revision at 12"],
  },
  {
    name: "25: a stop before the action leaves the world as it is",
    world: {
      alerts: [onWeb()],
      symptoms: cured,
      signals: [{ atMinutes: 1.5, signal: "stop", by: "ann", message: "by hand" }],
    },
    ends: ["stopped stopped-by-signal"],
    done: [],
  },
  {
    name: "25: while all remediations are paused diagnostics are collected, and the action waits",
    declared: { policies: policies({ ladder: ["collect-diagnostics", "restart-revision"] }) },
    world: {
      alerts: [onWeb()],
      symptoms: cured,
      stops: [{ fromMinutes: -5, toMinutes: 20, by: "ann", message: "the network is being rebuilt" }],
    },
    ends: verified,
    done: ["restart-revision at 20"],
    says: ["top exception of app/shop/web"],
  },
  {
    name: "26: a critical alert on a target whose incident is in flight is told of at once",
    world: { alerts: [onWeb(), { rule: "app-down", atMinutes: 1, severity: 0 }], symptoms: cured },
    ends: verified,
    done: ["restart-revision at 2"],
    says: ["critical: the rule app-down fired too; a remediation is in progress"],
  },
];

/** What is declared where a case says nothing about it. */
export const declaredByDefault = { policies: policies() };

/** Gives of a run what a case says about it. */
export function outcomeOf({ journals, done }: IncidentRun, start: number, { says }: IncidentCase): object {
  const ends = journals.map(({ state }) => `${state.ending?.result} ${state.ending?.reason}`);
  const counts = Map.groupBy(ends, (end) => end);
  const told = journals.flatMap(({ state, events }) => [
    ...state.evidence,
    ...events.flatMap((event) => (event.kind === "PersonTold" ? [event.message] : [])),
  ]);
  return {
    ends: [...counts].map(([end, all]) => (all.length === 1 ? end : `${all.length} ${end}`)).toSorted(),
    done: done.map(({ runbook, at }) => `${runbook} at ${(at - start) / 60_000}`),
    ...(says && { says: told }),
  };
}
