// The end of the story: what the Pulumi CLI does after all rotations. It changes nothing, and what it releases logs in.
import { eventually } from "./eventually.ts";
import { app } from "./places.ts";
import { measure, type Scene } from "./rotate.ts";

/** What came of the commands. */
export interface Afterwards {
  readonly commands: readonly { readonly command: string; readonly code: number; readonly changed: boolean }[];
  readonly revertLogins: number;
  readonly failedLogins: number;
}

/** The first one saves its plan, in which the search for passwords looks too. */
const commandsFor = (planFile: string) => [
  ["preview", "--expect-no-changes", "--save-plan", planFile],
  ["refresh", "--yes", "--skip-preview"],
  ["preview", "--expect-no-changes"],
  ["up", "--yes", "--skip-preview", "--expect-no-changes"],
];

/** 7. The Pulumi CLI changes nothing after the rotations, and what a revert releases logs in. */
export async function afterwards(scene: Scene): Promise<Afterwards> {
  const { estate, setting } = scene;
  const { timeline } = setting;
  timeline.chapter("Afterwards: the program again, and a git revert");
  const before = await measure(scene);
  const told: Afterwards["commands"][number][] = [];
  for (const args of commandsFor(estate.program.planFile)) {
    const stood = JSON.stringify(await estate.standing());
    const { code, output } = await estate.program.pulumi(...args);
    const changed = JSON.stringify(await estate.standing()) !== stood;
    const command = `pulumi ${args[0]}`;
    told.push({ command, code, changed });
    const isStill = code === 0 && !changed;
    timeline.check(isStill, isStill ? `${command} changes nothing` : `${command} changed something:\n${output}`);
  }
  estate.program.setRelease("two");
  const { code, output } = await estate.program.up();
  const { latest } = await estate.standing();
  timeline.check(code === 0, code === 0 ? `pulumi up after a git revert: ${latest} serves` : output);
  const revertLogins = await loginsOf(scene, latest);
  timeline.check(revertLogins > 0, `its replicas logged in ${revertLogins} times, with the slot that serves`);
  const { tally } = await measure(scene);
  const failed = tally.failed.filter(({ at }) => at >= before.at);
  const [first] = failed;
  const refused = first === undefined ? "" : `: ${first.who} as ${first.user}, ${first.code}`;
  const logins = tally.logins - before.tally.logins;
  timeline.check(failed.length === 0, `${failed.length} of ${logins} logins failed meanwhile${refused}`);
  return { commands: told, revertLogins, failedLogins: failed.length };
}

/** Counts the logins of a revision's replicas, which report about once a second. */
async function loginsOf({ setting }: Scene, revision: string): Promise<number> {
  return eventually(async () => {
    const lines = (await setting.emulator.logs(app)).filter((line) => line.revision === revision);
    const logins = lines.reduce((sum, { json }) => sum + ((json as { logins?: number } | undefined)?.logins ?? 0), 0);
    return logins > 0 ? logins : undefined;
  }, `logins of ${revision}`);
}
