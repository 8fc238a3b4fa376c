// Kept journals that must stay readable for ever. Each line of each file in test/engines/rollout/journals is a fact as
// stored in a database. The files are never edited; a new form of a fact gets a new file. They come from the scenarios
// in the pure world that are named below.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseFact } from "../../../controlplane/adapters/postgres/facts.ts";
import { fold } from "../../../engines/engine.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { rollouts } from "../../support/worlds/rollouts.ts";

const folder = join(import.meta.dirname, "journals");

const ends = {
  "rollout-v1-aborted.jsonl": { attempt: 1, finished: ["rolled-back"] }, // aborts-by-hand
  "rollout-v1-retried.jsonl": { attempt: 2, finished: ["rolled-back", "promoted"] }, // retries-after-a-rollback
} as const;

test("every kept journal is listed here with its result", () =>
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(ends)));

test.each(Object.entries(ends))("%s can be read whole and has the same result", (file, { attempt, finished }) => {
  const stored = readFileSync(join(folder, file), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly kind: string; readonly at: number });
  const events = stored.map(
    (event, index) =>
      parseFact({ stream: `rollout/kept/${file}`, index, event, process: "then", epoch: 1, hash: "" }, rollouts).event,
  );
  expect(events.map(({ kind, at }) => ({ kind, at }))).toEqual(stored.map(({ kind, at }) => ({ kind, at })));
  expect(events.flatMap((event) => (event.kind === "Finished" ? [event.result] : []))).toEqual(finished);
  expect(fold(rollout, events)).toMatchObject({ phase: "finished", attempt });
});
