// The parts of the story: each is a rotation to which something else happens, and checks what docs/start/demo.md
// promises of it.
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { RolloutTypes } from "../../client/rollouts.ts";
import type { StreamName } from "../../client/streams.ts";
import type { Ended } from "../../toolchain/child.ts";
import { eventually } from "./eventually.ts";
import { failuresOf, startReaders } from "./load.ts";
import { app, resourceGroup } from "./places.ts";
import { measure, type Rotated, type RotationName, rotate, rotationThatComes, type Scene } from "./rotate.ts";

type RolloutName = StreamName<RolloutTypes>;

/** A part that was played: its rotation, and what was counted apart. */
export interface Part {
  readonly title: string;
  readonly rotated: Rotated;
  readonly apart?: Readonly<Record<string, number>>;
}

const isUndisturbed = { slotVersions: 2, published: 1, passwordChanges: 2 };
const equals = (one: object, other: object): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Checks what holds for every rotation that ends as it should, and prints the counts. */
function checkRotated({ setting }: Scene, rotated: Rotated, expected = "rotated"): void {
  const { timeline } = setting;
  const { result, logins, failedLogins, cutQueries, found, written, secondsOfSteps, adoption } = rotated;
  timeline.check(result === expected, `the rotation ended: ${rotated.message}`);
  const failed = failedLogins.map(({ who, user, code }) => `${who} as ${user}: ${code}`);
  timeline.check(
    failedLogins.length === 0,
    failed.length === 0
      ? `none of ${logins} logins failed`
      : `of ${logins} logins, ${failed.length} failed: ${failed[0]}`,
  );
  timeline.line(
    `  cut queries: ${cutQueries}; seconds a step: ${Object.entries(secondsOfSteps)
      .map(([step, seconds]) => `${step} ${seconds.toFixed(1)}`)
      .join(", ")}`,
  );
  const lags = Object.values(adoption.readers).toSorted((one, other) => one - other);
  if (adoption.app !== null && lags.length > 0)
    timeline.line(
      `  adopted: the app ${adoption.app.toFixed(1)} s after the version was made; readers ${lags[0]!.toFixed(1)} s ` +
        `to ${lags.at(-1)!.toFixed(1)} s after it was published`,
    );
  timeline.check(
    found.slotVersions === written.slotVersions && found.published === written.published,
    `the vault has ${found.slotVersions} new versions of slots and ${found.published} published, as the journal says`,
  );
}

/** 1. A rotation that is due: the control plane begins it by itself. */
export async function due(scene: Scene): Promise<Part> {
  const { timeline } = scene.setting;
  const title = "A rotation that is due";
  timeline.chapter(`${title}: the published version expires in 20 days`);
  const apart = isWhole(scene.setting) ? startForgetful(scene) : undefined;
  await apart?.ready();
  const before = await measure(scene);
  await expireIn(scene, 20);
  const rotated = await rotationThatComes(scene, before);
  checkRotated(scene, rotated);
  timeline.check(
    equals(rotated.found, isUndisturbed) && equals(rotated.written, isUndisturbed),
    "it wrote exactly two versions of slots, one published version and two passwords",
  );
  if (apart === undefined) return { title, rotated };
  await apart.stop();
  const refused = failuresOf([apart.counts], "login").length;
  timeline.check(
    refused === 1 && apart.counts.adoptions.length === 2,
    `counted apart: the reader that re-reads only after a refused login was refused ${refused} time, and logs in again`,
  );
  return { title, rotated, apart: { forgetfulRefused: refused } };
}

/** Lets the published version expire in a few days, and starts a process: each looks for what is due when it starts. */
async function expireIn({ estate, planes }: Scene, days: number): Promise<void> {
  const { credential } = estate.credential;
  const { version } = (await estate.secrets.getSecret(credential)).properties;
  const expiresOn = new Date(Date.now() + days * 86_400_000);
  await estate.secrets.updateSecretProperties(credential, version!, { expiresOn });
  await planes.start();
}

const isWhole = ({ options }: Scene["setting"]): boolean => options.only === "rotation";

/** A reader that connects less often than the quiet time, and re-reads only after it was refused. */
const startForgetful = ({ estate }: Scene) =>
  startReaders(estate, estate.credential.credential, [
    { who: "forgetful", pooled: false, everyMilliseconds: 9_000, rereads: { kind: "refused" } },
  ]);

/** 2. A bad one: a right is missing on the idle role. */
export async function badOne(scene: Scene): Promise<Part> {
  const { estate, setting, planes } = scene;
  const title = "A bad one";
  setting.timeline.chapter(`${title}: the idle role lacks a right`);
  const idle = await idleRole(scene);
  const published = (await estate.secrets.getSecret(estate.credential.credential)).properties.version;
  await estate.admin(`revoke select on invoices from ${pg.escapeIdentifier(idle)}`);
  const rotated = await rotate(scene, { cause: "requested", message: "the demo wants a bad one" });
  await estate.admin(`grant select on invoices to ${pg.escapeIdentifier(idle)}`);
  checkRotated(scene, rotated, "rejected");
  setting.timeline.check(
    rotated.message.includes(`${idle} lacks SELECT on invoices`),
    `its message names the right: ${rotated.message}`,
  );
  const now = (await estate.secrets.getSecret(estate.credential.credential)).properties.version;
  const { rollouts } = { rollouts: rotated.journal.filter(({ event }) => event.kind === "RolloutRequested") };
  setting.timeline.check(
    now === published && rollouts.length === 0 && planes.living().length > 0,
    "nothing was published, no app was touched, and the old version serves",
  );
  return { title, rotated };
}

/** Gives the role that the next rotation changes. */
async function idleRole({ estate }: Scene): Promise<string> {
  const { value } = await estate.secrets.getSecret(estate.credential.credential);
  const { roles } = estate.credential;
  return new URL(value!).username === roles.a ? roles.b : roles.a;
}

/** 3. One during which the process that carries it out is killed. */
export async function killed(scene: Scene): Promise<Part> {
  const { planes, setting } = scene;
  const { timeline } = setting;
  const title = "One that is killed";
  const seconds = drawSeconds(setting.options.seed);
  timeline.chapter(`${title}: SIGKILL ${seconds.toFixed(1)} s after it began`);
  let kill: Promise<void> | undefined;
  const rotated = await rotate(scene, { cause: "requested", message: "the demo kills its process" }, (_fact, name) => {
    kill ??= pause(seconds * 1000).then(async () => {
      const owner = (await planes.rotations().journal(name)).at(-1)?.process;
      const plane = planes.living().find((each) => each.process === owner) ?? planes.living()[0]!;
      timeline.line(`  ✂ control plane ${plane.name} is killed with SIGKILL, process ${plane.child.pid}`, "magenta");
      await planes.kill(plane);
    });
  });
  await kill;
  checkRotated(scene, rotated);
  const processes = new Set(rotated.journal.map(({ process }) => process));
  timeline.check(processes.size >= 2, "another process finished it");
  const { passwordChanges } = rotated.found;
  const { passwordChanges: written } = rotated.written;
  timeline.check(
    rotated.found.slotVersions === 2 && passwordChanges >= 2 && passwordChanges <= 3,
    `no version was made twice; passwords were set ${passwordChanges} times, by the journal ${written}`,
  );
  return { title, rotated };
}

/** Draws when the process is killed, within the time that a rotation takes. */
function drawSeconds(seed: number | undefined): number {
  const drawn = seed === undefined ? Math.random() : ((seed * 2_654_435_761) % 2 ** 32) / 2 ** 32;
  return 0.2 + drawn * 14;
}

/** 4. One that is due during a release, and a release that comes during its cut-over. */
export async function dueDuringRelease(scene: Scene): Promise<Part> {
  const { estate, planes, setting } = scene;
  const { timeline } = setting;
  const title = "One that is due during a release";
  timeline.chapter(`${title}, and a release during its cut-over`);
  const before = await measure(scene);
  const known = await rolloutsOf(scene);
  estate.program.setRelease("two");
  const up = estate.program.up();
  const revision = await eventually(
    async () => [...(await rolloutsOf(scene))].find((each) => !known.has(each)),
    "the release of pulumi up",
  );
  timeline.line(`  pulumi up releases ${revision}`);
  // It stands still until the rotation has said that it waits, however quick this machine is.
  const name = { resourceGroup, app, revision };
  await planes.rollouts().signal(name, "pause", "the demo wants a rotation to wait for it");
  await expireIn(scene, 10);
  let released: Promise<Ended> | undefined;
  let refusal: Promise<string | undefined> | undefined;
  const rotated = await rotationThatComes(scene, before, ({ kind }, rotation) => {
    if (kind === "Waiting") released ??= resumed(scene, name, up);
    if (kind === "RolloutRequested") refusal ??= releaseRefused(scene, rotation, up);
  });
  checkUp(scene, await released, "promoted", "the release was promoted");
  checkRotated(scene, rotated);
  const waited = rotated.journal.find(({ event }) => event.kind === "Waiting" && event.reason === "consumer-busy");
  timeline.check(waited !== undefined, `it waited, and said so: ${waited?.message}`);
  const said = await refusal;
  timeline.check(said !== undefined, `pulumi up during the cut-over was refused: ${said}`);
  checkUp(scene, await estate.program.up(), "promoted", "the same pulumi up after the rotation released it");
  return { title, rotated };
}

/** Gives the revisions of the app that have a rollout. */
async function rolloutsOf({ planes }: Scene): Promise<ReadonlySet<string>> {
  const { streams } = await planes.rollouts().list();
  return new Set(streams.map(({ id }) => id.split("/").at(-1)!));
}

async function resumed({ planes }: Scene, name: RolloutName, up: Promise<Ended>): Promise<Ended> {
  await planes.rollouts().signal(name, "resume", "the rotation waits");
  return up;
}

function checkUp({ setting }: Scene, ended: Ended | undefined, said: string, happened: string): void {
  const isDone = ended?.code === 0 && ended.output.includes(said);
  setting.timeline.check(isDone, isDone ? happened : `pulumi up did not end as promised:\n${ended?.output}`);
}

/** Releases while the cut-over runs, which stands still for that time, and gives the refusal. */
async function releaseRefused(
  scene: Scene,
  rotation: RotationName,
  before: Promise<Ended>,
): Promise<string | undefined> {
  const { estate, planes } = scene;
  const facts = (await planes.rotations().journal(rotation)).map(({ event }) => event);
  const [, , , revision = ""] = facts.find((event) => event.kind === "RolloutRequested")?.stream.split("/") ?? [];
  const cutOver = { resourceGroup, app, revision };
  await planes.rollouts().signal(cutOver, "pause", "the demo asks for a release meanwhile");
  await eventually(() => estate.revision(revision), `the revision ${revision}`);
  await before;
  estate.program.setRelease("three");
  const { code, output } = await estate.program.up();
  await planes.rollouts().signal(cutOver, "resume", "it was refused");
  return code === 0 ? undefined : /stream-in-flight\s+(.*)/.exec(output)?.[1];
}

/** 5. An incident: the password is known to others. */
export async function leaked(scene: Scene): Promise<Part> {
  const { estate, setting } = scene;
  const { timeline } = setting;
  const title = "An incident";
  timeline.chapter(`${title}: "leaked, now"`);
  const known = new URL((await estate.secrets.getSecret(estate.credential.credential)).value!);
  const rotated = await rotate(scene, { cause: "leaked", message: "it was in a log" });
  timeline.check(rotated.result === "rotated", `the rotation ended: ${rotated.message}`);
  const after = rotated.journal.find(({ event }) => event.kind === "Published")?.event.at ?? 0;
  const early = rotated.failedLogins.filter(({ at }) => at < after);
  timeline.check(early.length === 0, "until the new version was published, no login failed");
  timeline.line(
    `  counted apart: ${rotated.failedLogins.length - early.length} refused logins of readers that still had the ` +
      `leaked password, ${rotated.cutQueries} cut queries`,
  );
  const skipped = ["quiet", "grace"].filter((step) => step in rotated.secondsOfSteps);
  timeline.check(skipped.length === 0, "it took no quiet time and no grace");
  const code = await loginCode(known, estate.credential.database);
  timeline.check(code === "28P01", `the leaked password no longer logs in: ${code}`);
  return { title, rotated, apart: { refusedLogins: rotated.failedLogins.length, cutQueries: rotated.cutQueries } };
}

/** Gives the code with which a login fails, or "let in". */
async function loginCode(url: URL, database: string): Promise<string> {
  const client = new pg.Client({
    host: url.hostname,
    port: Number(url.port),
    database,
    user: url.username,
    password: url.password,
  });
  client.on("error", () => undefined);
  return client
    .connect()
    .then(
      () => "let in",
      ({ code }: { readonly code?: string }) => String(code),
    )
    .finally(() => client.end().catch(() => undefined));
}

/** The last part: a reader that reads once and never again holds the rotation until it stops. */
export async function readsOnce(scene: Scene): Promise<Part> {
  const { timeline } = scene.setting;
  const title = "A reader that reads once and never again";
  timeline.chapter(title);
  await pause(1000 * scene.estate.credential.timings.quietSeconds); // The idle role must be quiet too.
  const reader = startReaders(scene.estate, scene.estate.credential.credential, [
    { who: "reads-once", pooled: false, everyMilliseconds: 500, rereads: { kind: "never" } },
  ]);
  await reader.ready();
  let held: Promise<void> | undefined;
  let message: string | undefined;
  const holdFor = 3 * scene.estate.credential.timings.quietSeconds;
  const rotated = await rotate(scene, { cause: "requested", message: "the demo has a forgotten reader" }, (fact) => {
    if (fact.kind !== "Waiting" || !fact.message.includes("reads-once")) return;
    message ??= fact.message;
    held ??= pause(holdFor * 1000).then(() => {
      timeline.line(`  the reader still logs in after ${holdFor} s, and is stopped now`, "magenta");
      return reader.stop();
    });
  });
  await held;
  await reader.stop();
  checkRotated(scene, rotated);
  timeline.check(message !== undefined, `it was held, and named: ${message}`);
  const quiet = rotated.secondsOfSteps["quiet"] ?? 0;
  timeline.check(quiet >= holdFor, `it was held at "quiet" for ${quiet.toFixed(1)} s, until the reader stopped`);
  const refused = failuresOf([reader.counts], "login").length;
  timeline.check(refused === 0, "the reader was never refused");
  return { title, rotated };
}
