// Every scenario of a rotation in the pure world, with virtual time. `UPDATE=1` rewrites the expected journals.
import { describe, expect, it } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { glance } from "../../../engines/rotation/glance.ts";
import { notificationOf } from "../../../engines/rotation/notifications.ts";
import { rotation } from "../../../engines/rotation/rotation.ts";
import { run } from "../../support/worlds/rotation-run.ts";
import { render, rewrite, scenarios, start } from "../../support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../support/worlds/rotation-world.ts";

describe("a rotation in the pure world", () => {
  for (const scenario of scenarios()) {
    it(`${scenario.name.replaceAll("-", " ")}`, async () => {
      const { journal, state, world } = await run(scenario);
      const rendered = render(journal);
      if (process.env["UPDATE"] === "1") rewrite(scenario, rendered);
      else expect(rendered).toBe(scenario.expected);
      expect(state.phase).toBe("finished");
      expect(rotation.react(state)).toBeUndefined();
      expect(world.failures, "a consumer could not log in").toEqual([]);
      const quietMinutes = scenario.credential.timings.quietSeconds / 60;
      const followers = scenario.world.readers.filter(
        ({ slot, lagMinutes = 0, everyMinutes }) =>
          (slot === undefined || scenario.asked.cause === "first") &&
          lagMinutes < quietMinutes &&
          everyMinutes < quietMinutes,
      );
      // A leaked password is void at once, whoever still uses it.
      if (scenario.asked.cause !== "leaked")
        for (const reader of followers)
          expect(
            loginsOf(world, reader, start, world.loop.now()).filter(({ failed }) => failed),
            `${reader.who} failed to log in`,
          ).toEqual([]);
    });
  }
});

it("hands the rule of a remediation on to each rollout that it asks for, which is then not judged", async () => {
  const { journal } = await run(scenarios().find(({ name }) => name === "cuts-over-one-consumer-after-another")!);
  const asked = (more: object) => {
    const events = journal.map((event) =>
      event.kind === "Requested" ? { ...event, intent: { ...event.intent, ...more } } : event,
    );
    return events.flatMap((_event, at) => {
      const effect = rotation.react(fold(rotation, events.slice(0, at + 1)));
      return effect?.kind === "RequestRollout" ? [effect.intent.repairs] : [];
    });
  };
  expect(new Set(asked({ repairs: "app-failing" }))).toEqual(new Set(["app-failing"]));
  expect(new Set(asked({}))).toEqual(new Set([undefined]));
});

it("hands its trace on to each rollout that it asks for, and to its notifications", async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const scenario = scenarios().find(({ name }) => name === "cuts-over-one-consumer-after-another")!;
  const { journal } = await run(scenario);
  const traced = journal.map((event) =>
    event.kind === "Requested" ? { ...event, intent: { ...event.intent, trace } } : event,
  );
  const states = traced.map((_event, at) => fold(rotation, traced.slice(0, at + 1)));
  const asked = states.map(rotation.react).filter((effect) => effect?.kind === "RequestRollout");
  expect(asked.length).toBeGreaterThan(0);
  for (const { intent } of asked) expect(intent).toMatchObject({ trace });
  const told = traced.flatMap(
    (event, at) => notificationOf("s", at, event, traced.slice(0, at + 1).reduce(glance.evolve, glance.initial)) ?? [],
  );
  expect(new Set(told.map(({ data }) => data["trace"]))).toEqual(new Set([trace]));
});
