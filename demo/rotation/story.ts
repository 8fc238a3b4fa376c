// The story of the rotations: a database password changes again and again while ten clients log in, about every 20 ms
// one of them, and none of them is refused.
import { startLoad } from "../../emulator/load.ts";
import type { Setting, Story } from "../story.ts";
import { putUp } from "./estate.ts";
import { leaksIn, passwordsOf, placesToLook } from "./leaks.ts";
import { startReaders, usualReaders } from "./load.ts";
import { type ControlRun, runMicrosoftOrder } from "./microsoft-order.ts";
import { badOne, due, dueDuringRelease, killed, leaked, type Part, readsOnce } from "./parts.ts";
import { planesOf } from "./planes.ts";
import type { Scene } from "./rotate.ts";

const requestsPerSecond = 100;
/** The first version expires soon, so that a rotation is due at once. */
const expiresInDays = 20;

/** The rotations, as `npm start -- --only rotation` shows them; plain `npm start` shows the one that is due. */
export const rotation: Story = {
  announce: ({ timeline, options }) => {
    timeline.line(
      isWhole(options)
        ? "rotations of a database password: due, bad, killed, during a release, leaked, with a reader that never reads again"
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
  timeline.chapter("Rotations: a vault, a server with a pair of roles, and the app that reads it");
  const estate = await putUp(ground, { expiresInDays });
  const planes = planesOf(estate, setting.stop);
  const load = startLoad(
    {
      rate: requestsPerSecond,
      origin: estate.origin,
      connectTo: { host: "127.0.0.1", port: ground.cloud.port },
      caFile: ground.cloud.caFile,
    },
    (line) => {
      if (line.kind === "second") generator.push(line);
    },
  );
  const readers = usualReaders.map((some) =>
    startReaders(estate, estate.credential.credential, some, (second) => generator.push(second)),
  );
  const scene: Scene = { setting, estate, planes, readers };
  try {
    await Promise.all(readers.map(({ ready }) => ready()));
    timeline.line("ten clients log in from now on: two replicas of the app, and eight readers in two processes");
    const parts = await (isWhole(options) ? playAll(scene) : playOne(scene));
    timeline.chapter("Control run: the same clients, in the order of Microsoft's sample, the vault first");
    const control = await runMicrosoftOrder(estate, (second) => generator.push(second));
    timeline.check(
      control.failedLogins > 0,
      `${control.failedLogins} of ${control.logins} logins failed in ${control.seconds.toFixed(1)} s`,
    );
    return { rotation: recordOf(parts, control, await checkLeaks(scene)) };
  } finally {
    await Promise.all(readers.map(({ stop }) => stop()));
    await load.stop();
    await planes.close();
    await estate.close();
  }
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

/** Checks that no password is anywhere but in the vault, and gives where one is. */
async function checkLeaks({ setting: { timeline }, estate, planes }: Scene): Promise<readonly string[]> {
  const secrets = await passwordsOf(estate);
  const sources = await placesToLook(estate, planes);
  const leaks = leaksIn(sources, secrets);
  timeline.check(
    leaks.length === 0,
    leaks.length === 0
      ? `none of ${secrets.length} passwords is in ${sources.map(({ name }) => name).join(", ")}`
      : `passwords were found: ${leaks.join("; ")}`,
  );
  return leaks;
}

/** The part of out/demo.json. */
const recordOf = (parts: readonly Part[], control: ControlRun, leaks: readonly string[]): object => ({
  rotations: parts.map(({ title, rotated, apart }) => {
    const { journal: _journal, name, failedLogins, ...rest } = rotated;
    return { title, ...name, ...rest, failedLogins: failedLogins.length, ...(apart && { countedApart: apart }) };
  }),
  control,
  leaks,
});
