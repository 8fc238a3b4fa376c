// What is decided about an action that was begun and has no good end: what may go on is halted before its undo, the
// next rung, or the count of its failure.
import { beforeAll, describe, expect, test } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { remediation } from "../../../engines/remediation/remediation.ts";
import type {
  RemediationEvent,
  RemediationObservation,
  RemediationState,
  RunbookName,
} from "../../../engines/remediation/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import { incidentScenario } from "../../support/worlds/incident-scenario.ts";
import { runIncidents } from "../../support/worlds/incident-world.ts";

const undoable = { runbook: "start-job", job: "warm", undoJob: "drop" };
const cleared = new Map<string, readonly RemediationEvent[]>();

/** The journal of an incident up to the moment at which its action may be carried out. */
async function clearedBy(name: string, ladder: readonly object[], world: object): Promise<void> {
  const declared = { policies: { "app-failing": { ladder } } };
  const { journals } = await runIncidents(incidentScenario(name, declared, world as Record<string, any>));
  const { events } = journals[0]!;
  cleared.set(name, events.slice(0, events.findIndex(({ kind }) => kind === "Cleared") + 1));
}

const alerts = { alerts: [{ rule: "app-failing" }] };
beforeAll(async () => {
  await clearedBy("start-job", [undoable, { runbook: "restart-revision" }], alerts);
  await clearedBy("restart-revision", [{ runbook: "restart-revision" }, undoable], alerts);
  await clearedBy("drill", [undoable], { drills: [{ atMinutes: 0, rule: "app-failing", target: "app/shop/web" }] });
});

/** What the world says, without its moment: each comes when it is due. */
type Said = Pick<Extract<RemediationObservation, { kind: "Outcome" }>, "of" | "found"> | "stop";

function run(
  from: string,
  said: readonly Said[],
): { readonly kinds: readonly string[]; readonly state: RemediationState } {
  let state = fold(remediation, cleared.get(from)!);
  const kinds: string[] = [];
  for (const each of said) {
    const effect = remediation.react(state);
    const at = effect?.kind === "Wait" ? effect.until : after(state.now, 1);
    const observation =
      each === "stop"
        ? { kind: "Signal", at, signal: "stop", by: "ann", message: "by hand" }
        : { kind: "Outcome", at, ...each };
    for (const fact of remediation.decide(state, observation as RemediationObservation)) {
      kinds.push(fact.kind);
      state = remediation.evolve(state, fact);
    }
  }
  return { kinds, state };
}

const failing = (of: "Act" | "Halt"): Said => ({ of, found: { ok: false, reason: "no answer" } });
const times = (count: number, said: Said): readonly Said[] => Array.from({ length: count }, () => said);
const halted = (end: object): Said => ({ of: "Halt", found: { ok: true, value: end } }) as Said;
const givenUp = times(3, failing("Act"));

describe("an action without an answer", () => {
  test("is halted by its key, and counts as failed only then", () => {
    const { kinds, state } = run("start-job", givenUp);
    expect(kinds).toEqual(["AttemptFailed", "AttemptFailed", "AttemptFailed", "HaltBegun"]);
    const act = remediation.react(fold(remediation, cleared.get("start-job")!));
    expect(remediation.react(state)).toMatchObject({
      kind: "Halt",
      key: (act as { readonly key: string }).key,
      follow: undefined,
    });
    expect(state.ended).toEqual([]);
  });

  test.each<readonly [string, object, readonly string[], string]>([
    [
      "that had begun is undone",
      { good: false, message: "the job warm was stopped", undo: "drop" },
      ["Halted", "Judged", "UndoBegun"],
      "undoing",
    ],
    [
      "that had not begun is left without an undo",
      { good: false, message: "no execution of the job warm was started" },
      ["Halted", "Judged", "RungLeft"],
      "assessing",
    ],
    [
      "that had ended well is verified",
      { good: true, message: "the job warm succeeded", undo: "drop" },
      ["Halted"],
      "verifying",
    ],
  ])("%s", (_what, end, added, phase) => {
    const { kinds, state } = run("start-job", [...givenUp, halted(end)]);
    expect(kinds.slice(4)).toEqual(added);
    expect(state.phase).toBe(phase);
    if (phase === "undoing") expect(remediation.react(state)).toMatchObject({ kind: "Undo", undo: "drop" });
  });

  test("that cannot be halted is left to a person, who is told that it may still run", () => {
    const { kinds, state } = run("start-job", [...givenUp, ...times(5, failing("Halt"))]);
    expect(kinds.slice(-3)).toEqual(["Judged", "PersonCalled", "Finished"]);
    expect(state.ending).toMatchObject({
      result: "person-called",
      reason: "halt-failed",
      message: expect.stringContaining("may still run"),
    });
    expect(state.ended).toMatchObject([{ worked: false }]);
  });

  test("that a person stops while it is halted ends once that is known", () => {
    const stopped = run("start-job", [...givenUp, "stop"]);
    expect(stopped.state.phase).toBe("halting");
    const { state } = run("start-job", [...givenUp, "stop", halted({ good: false, message: "it was stopped" })]);
    expect(state.ending).toMatchObject({ result: "stopped", reason: "stopped-by-signal" });
  });

  test.each<readonly [string, RunbookName | "drill"]>([
    ["of a runbook that ends by itself", "restart-revision"],
    ["of a drill", "drill"],
  ])("%s is not halted", (_what, from) => expect(run(from, givenUp).kinds).not.toContain("HaltBegun"));
});

const acted: Said = { of: "Act", found: { ok: true, value: { message: "started", follow: "warm/1", undo: "drop" } } };
const followed = (good: boolean): Said => ({ of: "Follow", found: { ok: true, value: { good, message: "it ended" } } });
const cutShort: Said = { of: "Follow", found: { ok: false, reason: "cut short", retryAfterSeconds: 900 } };
const neverEnds = [cutShort, cutShort, { ...cutShort, found: { ok: false, reason: "it did not end in time" } } as Said];
const timedOut = ["AttemptFailed", "AttemptFailed", "AttemptFailed", "HaltBegun"];

test("a person who stops what is followed is told that it goes on", () =>
  expect(run("start-job", [acted, "stop"]).state.ending?.message).toBe(
    "stopped: by hand; what the action began goes on",
  ));

describe("an undo that begins something", () => {
  const undone: Said = { of: "Undo", found: { ok: true, value: { message: "started", follow: "drop/1" } } };
  const undoing = [acted, followed(false), undone];

  test("is followed to its end", () => {
    const { state } = run("start-job", undoing);
    expect(remediation.react(state)).toMatchObject({ kind: "Follow", follow: "drop/1" });
    expect(run("start-job", [...undoing, "stop"]).state.ending?.message).toBe("stopped: by hand; its undo goes on");
  });

  test("and never ends is halted by its own key", () =>
    expect(remediation.react(run("start-job", [...undoing, ...neverEnds]).state)).toMatchObject({
      kind: "Halt",
      follow: "drop/1",
      key: expect.stringMatching(/-undo$/),
    }));

  test.each<readonly [string, readonly Said[], readonly string[], string | undefined]>([
    ["and ends well leads to the next rung", [followed(true)], ["Followed", "RungLeft"], undefined],
    ["and ends badly is left to a person", [followed(false)], ["Followed", "PersonCalled", "Finished"], "undo-failed"],
    [
      "and was halted is left to a person",
      [...neverEnds, halted({ good: false, message: "it was stopped" })],
      [...timedOut, "Halted", "PersonCalled", "Finished"],
      "undo-failed",
    ],
    [
      "and ended well before the halt leads to the next rung",
      [...neverEnds, halted({ good: true, message: "it succeeded" })],
      [...timedOut, "Halted", "RungLeft"],
      undefined,
    ],
    [
      "and cannot be halted is left to a person",
      [...neverEnds, ...times(5, failing("Halt"))],
      [...timedOut, ...Array(5).fill("AttemptFailed"), "PersonCalled", "Finished"],
      "halt-failed",
    ],
  ])("%s", (_what, more, added, reason) => {
    const { kinds, state } = run("start-job", [...undoing, ...more]);
    expect(kinds.slice(run("start-job", undoing).kinds.length)).toEqual(added);
    expect(state.ending?.reason).toBe(reason);
  });
});
