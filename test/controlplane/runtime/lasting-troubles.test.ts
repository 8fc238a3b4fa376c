// What the log shows of a trouble that lasts: its beginning, each change, a reminder an hour, and its end.
import { expect, test } from "vitest";
import { logTroubles } from "../../../controlplane/runtime/lasting-troubles.ts";

const second = 1_000;

/** Opens a log whose clock a test moves. */
function opened() {
  const logged: string[] = [];
  let now = 0;
  const troubles = logTroubles((message) => void logged.push(message), { steady: () => now });
  const wait = (seconds: number): void => {
    now += seconds * second;
  };
  return { ...troubles, logged, wait };
}

test("a trouble that is met every half minute for a day is logged once an hour, and its end is", () => {
  const { met, over, wait, logged } = opened();
  for (let tries = 0; tries < 24 * 120; tries++) {
    met("rollout/r/a/v", "rests after an error: x is not a function");
    wait(30);
  }
  over("rollout/r/a/v");
  expect(logged).toHaveLength(25);
  expect(logged.slice(0, 2)).toEqual([
    "rollout/r/a/v rests after an error: x is not a function",
    "rollout/r/a/v rests after an error: x is not a function (121 tries so far)",
  ]);
  expect(logged.at(-1)).toBe("rollout/r/a/v goes on after 2880 tries in vain");
});

test("another trouble of the same subject is logged at once, and so is the same one of another subject", () => {
  const { met, over, logged } = opened();
  met("one", "failed: the database is away");
  met("one", "failed: the database is away");
  met("one", "failed: no answer in 30 s");
  met("other", "failed: no answer in 30 s");
  over("other");
  over("other");
  met("other", "failed: no answer in 30 s");
  expect(logged).toEqual([
    "one failed: the database is away",
    "one failed: no answer in 30 s",
    "other failed: no answer in 30 s",
    "other goes on after 1 try in vain",
    "other failed: no answer in 30 s",
  ]);
});

test("a subject without a trouble has no end of it", () => {
  const { over, logged } = opened();
  over("one");
  expect(logged).toEqual([]);
});
