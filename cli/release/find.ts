// Finds the rollout that a command means. A rollout may be named as briefly as is unambiguous.
import { type RolloutCalls, type RolloutSummary, type RolloutTypes, rollouts } from "../../client/rollouts.ts";
import { sameName } from "../../engines/rollout/weights.ts";
import { rolloutAmbiguous, rolloutNameUnclear, rolloutUnknown } from "../../errors/cli.ts";
import { fullNameOf } from "../streams/find.ts";
import type { Finder } from "../streams/work.ts";

/** Gives the full name of a rollout, which `findRollout` understands. */
export const nameOf = (rollout: RolloutSummary): string => fullNameOf(rollouts, rollout);

/**
 * Finds the rollout that a name means: the newest of an app, the newest of a revision, or exactly one.
 *
 * A short name is looked up in the control plane's list, so it needs to be unambiguous only now, not for ever.
 *
 * @throws cli-rollout-name-unclear, cli-rollout-unknown, cli-rollout-ambiguous, and the error of a journal that cannot
 * be read if it may be the one that is meant
 */
export async function findRollout(calls: RolloutCalls, name: string): Promise<RolloutSummary> {
  const parts = name.replace(/^rollout\//, "").split("/");
  if (parts.length > 3 || parts.includes("")) throw rolloutNameUnclear({ name });
  const [resourceGroup, app, revision] = (parts.length === 3 ? parts : [undefined, ...parts]) as [
    string | undefined,
    string,
    string?,
  ];
  if (resourceGroup && revision) {
    const rollout = await calls.show({ resourceGroup, app, revision });
    if (!rollout) throw rolloutUnknown({ name });
    return rollout;
  }
  // Azure allows no app a name with two hyphens in a row, so this is that of a revision.
  const [owner, suffix] = app.split("--") as [string, string?];
  if (suffix !== undefined) throw rolloutNameUnclear({ name, meant: `${owner}/${app}` });
  const { streams, unreadable } = await calls.list({ app });
  // An unreadable rollout may be the newest. An older one in its place would be the wrong one.
  const broken = unreadable.find(({ id }) => !revision || sameName(id.split("/").at(-1)!, revision));
  if (broken) throw broken.error;
  const fitting = streams.filter((one) => sameName(one.app, app) && (!revision || sameName(one.revision, revision)));
  const groups = [...new Set(fitting.map((one) => one.resourceGroup.toLowerCase()))];
  if (groups.length > 1) throw rolloutAmbiguous({ name, groups });
  const [newest] = fitting;
  if (!newest) throw rolloutUnknown({ name });
  return newest;
}

/** How a person names a rollout. */
export const rolloutFinder: Finder<RolloutTypes> = {
  naming: "<rollout> is <app> for the app's newest rollout, <app>/<revision>, or <resource group>/<app>/<revision>.",
  usual: {
    meaning: "the last one whose canary was compared with stable",
    choose: (newestFirst) => newestFirst.find(({ evidence }) => evidence !== null),
  },
  find: findRollout,
};
