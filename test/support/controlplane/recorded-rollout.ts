// A rollout that the engine itself has decided, for the fake control plane to show: a good release that is promoted.
import { messageOf } from "../../../engines/rollout/tell.ts";
import { run } from "../worlds/pure-world.ts";
import { scenarios } from "../worlds/scenario.ts";
import { putRollout } from "./ballast-command.ts";
import type { FakeControlPlane } from "./fake-control-plane.ts";

const scenario = scenarios().find(({ name }) => name === "promotes-when-every-step-passes")!;

/** The facts of the rollout. */
export const { journal } = await run(scenario);

/**
 * Has the fake control plane show the rollout as `rg/storefront/r1`, with its facts changed if a test asks for that.
 */
export async function putJournal(
  plane: FakeControlPlane,
  change: (event: (typeof journal)[number], index: number) => object = (event) => event,
): Promise<void> {
  const facts = journal.map((event, index) => ({
    kind: event.kind,
    message: messageOf(event),
    event: change(event, index),
  }));
  plane.scripts.set("one", { facts, result: "promoted", message: "promoted: every step passed" });
  await putRollout(plane.endpoint, "r1");
}
