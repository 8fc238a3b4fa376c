// Journals for reports: those of the scenarios, and one in which every name and text tries to break a page.
import { messageOf } from "../../../engines/rollout/tell.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import type { RolloutFact } from "../../../report/rollout/attempts.ts";
import { run } from "../worlds/pure-world.ts";
import { scenarios } from "../worlds/scenario.ts";

/** Gives events as facts of one process under one claim. */
export const factsOf = (events: readonly RolloutEvent[]): readonly RolloutFact[] =>
  events.map((event) => ({
    event,
    message: messageOf(event),
    process: "p1",
    epoch: event.kind === "Planned" || event.kind === "Signalled" ? 0 : 1,
  }));

/** Gives the journal of a scenario. */
export async function scenarioFacts(name: string): Promise<readonly RolloutFact[]> {
  const scenario = scenarios().find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return factsOf((await run(scenario)).journal);
}

/**
 * A hostile name or reason: markup, the end of an attribute, a change of text direction, and a word without a break.
 */
export const hostile = `</style></title><script>alert(1)</script>"'><img src=x onerror=alert(2)> & \u202egnp.exe\u0007 ${"w".repeat(120)}`;

/** Gives a journal with the hostile text in place of every name from outside. */
export async function hostileFacts(): Promise<readonly RolloutFact[]> {
  const facts = await scenarioFacts("aborts-by-hand");
  return facts.map((fact) => {
    const event = JSON.parse(
      JSON.stringify(fact.event, (key, value: unknown) =>
        [
          "revision",
          "stable",
          "release",
          "app",
          "resourceGroup",
          "requestedBy",
          "by",
          "reason",
          "message",
          "name",
        ].includes(key) && typeof value === "string"
          ? hostile + (value.endsWith("--1") ? "1" : "2")
          : value,
      ),
    ) as RolloutEvent;
    return { ...fact, event, message: messageOf(event), process: hostile };
  });
}
