// Releases that are tried again during a rotation, with a revision from before the cut-over: each asks by the shipped
// port for the role that the rotation retires, starts, and logs in until it ends.
import { openOldRoles } from "../../../controlplane/performers/old-roles.ts";
import type { Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Journal } from "../../../controlplane/runtime/ports.ts";
import type { AnyEvent } from "../../../engines/kind.ts";
import { after, secondsBetween } from "../../../engines/time.ts";
import { type RotationScenario, start } from "./rotation-scenario.ts";
import type { RotationWorld, Woken } from "./rotation-world.ts";

interface Trying {
  readonly scenario: RotationScenario;
  readonly world: RotationWorld;
  readonly rotation: string;
  readonly journal: Pick<Journal<AnyEvent>, "read" | "streams">;
  readonly process: () => Orchestrator<AnyEvent>;
  readonly woken: Woken;
}

/** How often a release that waits asks again, and one in flight logs in anew. */
const everySeconds = 60;
const ours = async (): Promise<boolean> => true;

/** Schedules the releases of a scenario. Each resolves with what became of it. */
export const tryReleases = (trying: Trying): readonly Promise<string>[] =>
  trying.scenario.world.releases.map((release) => {
    const { world } = trying;
    const told = Promise.withResolvers<string>();
    const name = `${release.app}--1`;
    const rollout = `rollout/shop/${release.app}/${name}`;
    const oldRoles = openOldRoles(trying.journal, {
      signal: async (stream, signal) => {
        await trying.process().signal(stream, signal);
        return { ok: true, value: null };
      },
    });
    const again = (act: () => Promise<void>): void =>
      world.loop.at(after(world.loop.now(), everySeconds), () => void act().catch(told.reject));
    const seconds = () => secondsBetween(start, world.loop.now());
    const ask = async (): Promise<void> => {
      const answer = await oldRoles.open(trying.rotation, rollout, world.loop.now(), ours);
      if (!answer.ok) throw new Error(answer.reason);
      const { standing, message } = answer.value;
      if (standing === "soon") return again(ask);
      if (standing === "open") return serve();
      world.releases.delete(rollout);
      told.resolve(`${name} is not started: ${message}`);
    };
    const serve = async (): Promise<void> => {
      const why = await trying.woken.login(release.app);
      if (why !== undefined) world.failures.push(`${name} could not log in after ${seconds()} s: ${why}`);
      if (world.loop.now() < after(start, release.untilMinutes * 60)) return again(serve);
      if (release.promoted === true) await trying.woken.serve(release.app);
      world.releases.delete(rollout);
      told.resolve(`${name} ended`);
    };
    world.loop.at(after(start, release.atMinutes * 60), () => {
      world.releases.add(rollout);
      void ask().catch(told.reject);
    });
    return told.promise;
  });
