// `npm run soak:rotations -- --rotations 20 --kills 50 --seed S`: rotations under ten clients that log in, while the
// process that carries one out is killed by SIGKILL again and again, each time a drawn while after a drawn fact. It
// exits 1 if a login failed, a rotation did not end, a version was made twice, or a password was left anywhere.
import { setTimeout as nap } from "node:timers/promises";
import { emulator } from "../../demo/emulator.ts";
import { readOptions } from "../../demo/options.ts";
import { checkLeaks } from "../../demo/rotation/leaks.ts";
import { openRotations, type RotationsOpen } from "../../demo/rotation/open.ts";
import { microsoftOrder, runOrder } from "../../demo/rotation/other-order.ts";
import { type Rotated, rotate } from "../../demo/rotation/rotate.ts";
import { startTimeline } from "../../demo/timeline.ts";
import { slotSecret, slots, userSecret } from "../../engines/rotation/declaration.ts";
import { openLand } from "../../test/support/emulator/rotation-land.ts";
import { readCommandLine } from "../command-line.ts";
import { createDice, type Dice } from "../simulator/dice.ts";

const values = readCommandLine(
  `npm run soak:rotations -- [options]

Rotations under ten clients that log in, while the process that carries one out is killed. Exit code 1: a login failed,
a rotation did not end, a version was made twice, or a password was left anywhere.

  --rotations NUMBER   how many (default: 20)
  --kills NUMBER       kills in all (default: 50)
  --form FORM          how a slot is written: uri, or apart: the role and its password as two secrets (default: uri)
  --seed NUMBER        repeats what was drawn (default: another one each time)`,
  {
    rotations: { type: "string", default: "20" },
    kills: { type: "string", default: "50" },
    form: { type: "string", default: "uri" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
);

/** The facts after which a process is killed: one for each step of a rotation. */
const moments = [
  "Requested",
  "Started",
  "VersionMade",
  "VerifierSet",
  "Proven",
  "RolloutRequested",
  "Adopted",
  "Published",
  "ReadersQuiet",
  "SessionsDrained",
  "LoginSet",
  "GraceOver",
  "SecretMoved",
] as const;
type Moment = (typeof moments)[number];

/** One kill: after which fact of a rotation, and how long after it. */
interface Kill {
  readonly after: Moment;
  readonly milliseconds: number;
}

/** Draws the kills of each rotation. Every step has its turn before one has a second one. */
function drawKills(dice: Dice, rotations: number, kills: number): readonly (readonly Kill[])[] {
  const drawn: Kill[][] = Array.from({ length: rotations }, () => []);
  let left: Moment[] = [];
  for (let index = 0; index < kills; index++) {
    if (left.length === 0) left = [...moments];
    const [after] = left.splice(dice.below(left.length), 1) as [Moment];
    drawn[index % rotations]!.push({ after, milliseconds: dice.pick([0, 5, 20, 80, 300]) });
  }
  return drawn;
}

const timeline = startTimeline();

/** Carries out one rotation, kills whoever carries it out, and starts another process in place of each. */
async function underKills({ scene }: RotationsOpen, kills: readonly Kill[]): Promise<Rotated> {
  const { planes } = scene;
  const waiting = [...kills];
  let killing = Promise.resolve();
  const kill = async ({ after, milliseconds }: Kill, of: string): Promise<void> => {
    await nap(milliseconds);
    const plane = planes.living().find((each) => each.process === of) ?? planes.living()[0]!;
    timeline.line(`  ✂ SIGKILL ${milliseconds} ms after ${after}, control plane ${plane.name}`, "magenta");
    await planes.kill(plane);
    await planes.start();
  };
  const rotated = await rotate(scene, { cause: "requested", message: "a soak" }, ({ kind, process: of }) => {
    const index = waiting.findIndex(({ after }) => after === kind);
    if (index === -1) return;
    const [next] = waiting.splice(index, 1);
    killing = killing.then(() => kill(next!, of));
  });
  await killing;
  return rotated;
}

/** Checks what must hold of every rotation. A verifier may be set again for the version that a dead process had set. */
function check(rotated: Rotated, kills: number): void {
  const { result, message, failedLogins, logins, written, found, cutQueries } = rotated;
  timeline.check(result === "rotated", `${rotated.name.rotation} ended as ${result}: ${message}`);
  const [first] = failedLogins;
  timeline.check(
    failedLogins.length === 0,
    `${failedLogins.length} of ${logins} logins failed${first === undefined ? "" : `: ${JSON.stringify(first)}`}`,
  );
  timeline.check(
    found.slotVersions === 2 && written.slotVersions === 2 && found.published === 1 && written.published === 1,
    "two versions of slots and one published version, by the vault and by the journal",
  );
  const again = found.passwordChanges - written.passwordChanges;
  timeline.check(
    written.passwordChanges === 2 && again >= 0 && again <= kills,
    `${found.passwordChanges} passwords were set, by the journal ${written.passwordChanges}, under ${kills} kills`,
  );
  timeline.line(`  cut queries: ${cutQueries}`);
}

/** Checks that the app has the secrets that it had, with the newest version of each password. */
async function checkApp({ estate }: RotationsOpen["scene"]): Promise<void> {
  const { credential, form } = estate.credential;
  const passwords = slots.map((slot) => slotSecret(credential, slot));
  const expected = form === "apart" ? passwords.flatMap((name) => [name, userSecret(name)]) : passwords;
  const shown = new Map((await estate.standing()).secrets.map(({ name, keyVaultUrl }) => [name, keyVaultUrl]));
  const newest = await Promise.all(
    passwords.map(async (name) => (await estate.secrets.getSecret(name)).properties.version ?? "none"),
  );
  const isNewest = passwords.every((name, index) => shown.get(name)?.endsWith(`/${newest[index]}`));
  const names = [...shown.keys()].sort().join(", ");
  timeline.check(
    names === expected.sort().join(", ") && isNewest,
    `the app has ${names}, each password in its newest version`,
  );
}

async function main(rotations: number, kills: number, seed: number, form: "uri" | "apart"): Promise<number> {
  timeline.line(`${rotations} rotations with ${kills} kills, seed ${seed}`);
  const land = await openLand();
  try {
    const setting = {
      emulator: emulator(land.cloud),
      timeline,
      stop: new AbortController().signal,
      options: readOptions([]),
    };
    const open = await openRotations(setting, land, {
      timings: { quietSeconds: 3, drainSeconds: 2, graceSeconds: 2 },
      form,
    });
    try {
      await open.scene.planes.start();
      for (const drawn of drawKills(createDice(seed), rotations, kills)) {
        check(await underKills(open, drawn), drawn.length);
        await checkApp(open.scene);
        await nap(1000 * open.scene.estate.credential.timings.quietSeconds); // The idle role must be quiet.
      }
      await checkLeaks(open.scene);
      // Under the same clients another order fails, so that zero means something.
      const control = await runOrder(open.scene.estate, microsoftOrder);
      timeline.check(
        control.failedLogins > 0,
        `in the order of Microsoft's sample, ${control.failedLogins} of ${control.logins} logins failed`,
      );
    } finally {
      await open.close();
    }
  } finally {
    await land.close();
  }
  const failed = timeline.failed();
  timeline.line(failed.length === 0 ? `every law held, seed ${seed}` : `${failed.length} findings, seed ${seed}`);
  return failed.length === 0 ? 0 : 1;
}

const written = (["uri", "apart"] as const).find((form) => form === values.form);
if (written === undefined) {
  console.error(`--form is uri or apart, and not ${values.form}`);
  process.exit(2);
}
process.exitCode = await main(Number(values.rotations), Number(values.kills), Number(values.seed), written);
