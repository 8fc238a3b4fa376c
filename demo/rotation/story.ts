// The story of the rotations: a database password changes again and again while ten clients log in, about every 20 ms
// one of them, and none of them is refused.
import type { WantedSecond } from "../../emulator/starvation.ts";
import { lend } from "../stack.ts";
import type { Setting, Story } from "../story.ts";
import { type Afterwards, afterwards } from "./afterwards.ts";
import { checkLeaks } from "./leaks.ts";
import { openRotations } from "./open.ts";
import { microsoftOrder, type OrderRun, runOrder } from "./other-order.ts";
import { badOne, due, dueDuringRelease, killed, leaked, type Part, readsOnce } from "./parts.ts";
import type { Scene } from "./rotate.ts";
import { audience } from "./site.ts";

/** The rotations, as `npm start -- --only rotation` shows them; plain `npm start` shows the one that is due. */
export const rotation: Story = {
  announce: ({ timeline, options }) => {
    timeline.line(
      isWhole(options)
        ? "rotations of a database password: due, bad, killed, during a release, leaked, held by a reader"
        : "one rotation of a database password; `npm start -- --only rotation` shows six",
    );
    timeline.line("times of the demo: quiet 5 s, drain 3 s, grace 3 s; default on Azure: 35 min, 5 min, 1 h");
  },
  show,
  invite: async ({ timeline }) =>
    timeline.line("    (the control planes of the rotations have ended with their story)"),
};

const isWhole = ({ only }: Setting["options"]): boolean => only === "rotation";

async function show(setting: Setting): Promise<object> {
  const { timeline, ground, generator, options } = setting;
  timeline.chapter("Rotations: pulumi up makes a vault, a rotated credential and the app that logs in with it");
  const noteSecond = (second: WantedSecond): void => void generator.push(second);
  const { scene, close } = await openRotations(setting, ground, {}, noteSecond);
  setting.atEnd(close);
  timeline.line(`${scene.estate.credential.vault} has both slots and a published version; no password is in the state`);
  timeline.line("ten clients log in from now on: two replicas of the app, and eight readers in two processes");
  const parts = await (isWhole(options) ? playAll(scene) : playOne(scene));
  const after = isWhole(options) ? await afterwards(scene) : undefined;
  timeline.chapter("Control run: the same clients, in the order of Microsoft's sample, the vault first");
  const control = await runOrder(scene.estate, microsoftOrder, noteSecond);
  timeline.check(
    control.failedLogins > 0,
    `${control.failedLogins} of ${control.logins} logins failed over ${control.outageSeconds.toFixed(1)} s`,
  );
  const leaks = await checkLeaks(scene);
  if (isWhole(options))
    lend(ground.folder, {
      ...ground.cloud.environment,
      BALLAST_ENDPOINT: scene.planes.endpoint,
      BALLAST_AUDIENCE: audience,
    });
  return { rotation: recordOf(parts, after, control, leaks) };
}

/** Plain `npm start`: the rotation that is due. */
async function playOne(scene: Scene): Promise<readonly Part[]> {
  return [await due(scene)];
}

async function playAll(scene: Scene): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const play of [due, badOne, killed, dueDuringRelease, leaked, readsOnce]) parts.push(await play(scene));
  return parts;
}

/** The part of out/demo.json. */
const recordOf = (
  parts: readonly Part[],
  after: Afterwards | undefined,
  control: OrderRun,
  leaks: readonly string[],
): object => ({
  rotations: parts.map(({ title, rotated, apart }) => {
    const { journal: _journal, name, failedLogins, ...rest } = rotated;
    return { title, ...name, ...rest, failedLogins: failedLogins.length, ...(apart && { countedApart: apart }) };
  }),
  ...(after && { afterwards: after }),
  control,
  leaks,
});
