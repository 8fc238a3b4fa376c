// One rotation under load: asked for, printed as it happens, and accounted for at its end.
import type { FollowedFact } from "../../client/follow.ts";
import type { RotationTypes } from "../../client/rotations.ts";
import type { StreamName } from "../../client/streams.ts";
import type { AskedRotation } from "../../engines/rotation/intent.ts";
import type { Setting } from "../story.ts";
import {
  type Adoption,
  adoptionOf,
  changesOf,
  foundOf,
  type Journal,
  secondsOfSteps,
  type Tally,
  tally,
  type Written,
  writtenBy,
} from "./account.ts";
import type { Estate } from "./estate.ts";
import { eventually } from "./eventually.ts";
import type { Readers } from "./load.ts";
import type { Planes } from "./planes.ts";

export type RotationName = StreamName<RotationTypes>;

/** What a rotation of the demo needs. */
export interface Scene {
  readonly setting: Pick<Setting, "emulator" | "timeline" | "stop" | "options">;
  readonly estate: Estate;
  readonly planes: Planes;
  /** The readers that count; those that are counted apart are not among them. */
  readonly readers: readonly Readers[];
}

/** A rotation that has ended, and what it came to. */
export interface Rotated {
  readonly name: RotationName;
  readonly result: string;
  readonly reason: string;
  readonly message: string;
  readonly seconds: number;
  readonly secondsOfSteps: Readonly<Record<string, number>>;
  readonly logins: number;
  readonly failedLogins: Tally["failed"];
  readonly cutQueries: number;
  readonly adoption: Adoption;
  /** By the journal, and as found in the vault and on the server. */
  readonly written: Written;
  readonly found: Written;
  readonly journal: Journal;
}

/** Something that happens to a rotation while it runs. It is told of each fact. */
export type Interference = (fact: FollowedFact, name: RotationName) => void;

let asked = 0;

/** Asks for a rotation, follows it to its end, and accounts for it. */
export const rotate = async (scene: Scene, body: AskedRotation, interfere?: Interference): Promise<Rotated> => {
  const { vault, credential } = scene.estate.credential;
  const name = { vault, credential, rotation: `demo${++asked}` };
  const before = await measure(scene);
  const put = await scene.planes.rotations().put(name, body);
  if ("refused" in put) throw put.refused;
  return followed(scene, name, before, interfere);
};

/** Waits for a rotation that nobody here asks for, follows it to its end, and accounts for it. */
export async function rotationThatComes(scene: Scene, before: Before, interfere?: Interference): Promise<Rotated> {
  const { vault, credential } = scene.estate.credential;
  const id = await eventually(async () => {
    const { streams } = await scene.planes.rotations().list();
    return streams.find((stream) => !before.known.has(stream.id))?.id;
  }, "a rotation that is due");
  return followed(scene, { vault, credential, rotation: id.split("/").at(-1)! }, before, interfere);
}

/** What was before a rotation. */
export interface Before {
  readonly at: number;
  readonly tally: Tally;
  readonly changes: number;
  readonly known: ReadonlySet<string>;
}

/** Measures what a rotation will be compared with. */
export async function measure({ setting, estate, planes, readers }: Scene): Promise<Before> {
  const [counted, changes, { streams }] = await Promise.all([
    tally(
      setting.emulator,
      readers.map(({ counts }) => counts),
    ),
    changesOf(estate),
    planes.living().length > 0 ? planes.rotations().list() : { streams: [] },
  ]);
  return { at: Date.now(), tally: counted, changes, known: new Set(streams.map(({ id }) => id)) };
}

async function followed(
  scene: Scene,
  name: RotationName,
  before: Before,
  interfere: Interference = () => undefined,
): Promise<Rotated> {
  const { setting, estate, readers } = scene;
  const { result, reason, message } = await follow(scene, name, interfere);
  const journal = await scene.planes.rotations().journal(name);
  const counts = readers.map((each) => each.counts);
  // The readers report twice a second, and replicas once.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const after = await tally(setting.emulator, counts);
  return {
    name,
    result,
    reason,
    message,
    seconds: (Date.now() - before.at) / 1000,
    secondsOfSteps: secondsOfSteps(journal),
    logins: after.logins - before.tally.logins,
    failedLogins: after.failed.filter(({ at }) => at >= before.at),
    cutQueries: after.cut - before.tally.cut,
    adoption: adoptionOf(journal, counts),
    written: writtenBy(journal),
    found: await foundOf(estate, name.rotation, before.changes),
    journal,
  };
}

/** Prints the facts until the rotation ends. If the process that is asked dies, another one is asked. */
async function follow(
  { planes, setting: { timeline, stop } }: Scene,
  name: RotationName,
  interfere: Interference,
): Promise<{ readonly result: string; readonly reason: string; readonly message: string }> {
  let from = 0;
  for (;;) {
    stop.throwIfAborted();
    try {
      for await (const heard of planes.rotations().follow(name, { from, quietSeconds: 5 })) {
        if (heard.kind === "ended") return heard;
        if (heard.kind === "broken") throw new Error(heard.reason);
        from = heard.fact.index + 1;
        timeline.fact(heard.fact);
        interfere(heard.fact, name);
      }
    } catch {
      timeline.line("  … that process does not answer; another one is asked", "yellow");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
