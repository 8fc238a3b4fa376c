// What a pass of a rollout measures: how late its measurement was.
import { expect, test } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { telemetry } from "../../../engines/rollout/telemetry.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import { healthy } from "../../support/worlds/meddling.ts";
import { run } from "../../support/worlds/pure-world.ts";

const { journal } = await run(healthy);
const events = journal.slice(0, journal.findIndex(({ kind }) => kind === "Measured") + 1);
const measured = events.at(-1) as Extract<RolloutEvent, { kind: "Measured" }>;
const state = fold(rollout, events);
const due = after(Math.max(measured.at, measured.to), healthy.strategy.intervalSeconds);
const lagOf = (given: typeof state, ended: number) =>
  telemetry.passOf(given, events, { kind: "Measure" } as never, ended);

test.each([
  ["answered when it is due", 0, 0],
  ["that a stopped process answers 40 s after it was due", 40, 40],
  ["answered 3 s too early", 0, -3],
])("a measurement %s is %i s late", (_, lag, seconds) =>
  expect(lagOf(state, after(due, seconds))).toEqual([{ metric: "intervalLag", value: lag }]),
);

test("a paused rollout has no late measurements", () =>
  expect(lagOf({ ...state, paused: true }, after(due, 40))).toEqual([]));
