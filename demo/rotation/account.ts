// What the demo counts of a rotation: logins of the app's replicas and of readers, how long each step took, when each
// client had adopted the new version, and whether the vault and the server changed as often as the journal says.
import type { RotationTypes } from "../../client/rotations.ts";
import type { StreamFact } from "../../client/streams.ts";
import type { Slot } from "../../engines/rotation/declaration.ts";
import type { RotationEvent } from "../../engines/rotation/vocabulary.ts";
import type { Emulator } from "../emulator.ts";
import type { Estate } from "./estate.ts";
import type { Failure, ReaderCounts } from "./load.ts";
import { app } from "./places.ts";

export type Journal = readonly StreamFact<RotationTypes["event"]>[];

/** Logins up to a moment. */
export interface Tally {
  readonly logins: number;
  readonly failed: readonly Pick<Failure, "at" | "who" | "user" | "code">[];
  readonly cut: number;
}

/** What the replicas of the app wrote about their logins. */
interface ReplicaLine {
  readonly at?: string;
  readonly logins?: number;
  readonly failed?: "login" | "query";
  readonly user?: string;
  readonly code?: string;
}

/** Counts the logins of all clients up to now. */
export async function tally(emulator: Emulator, readers: readonly ReaderCounts[]): Promise<Tally> {
  const replicas = (await emulator.logs(app)).map(({ revision, json }) => ({ ...(json as ReplicaLine), revision }));
  const failures = readers.flatMap((counts) => counts.failures);
  return {
    logins: [...replicas, ...readers].reduce((sum, { logins = 0 }) => sum + logins, 0),
    failed: [
      ...failures.filter(({ what }) => what === "login"),
      ...replicas.flatMap(({ at, failed, revision, user = "", code = "" }) =>
        failed === "login" ? [{ at: Date.parse(at ?? ""), who: revision, user, code }] : [],
      ),
    ],
    cut:
      failures.filter(({ what }) => what !== "login").length +
      replicas.filter((line) => line.failed === "query").length,
  };
}

/** The facts by which a step of a rotation ends. */
const stepEnds: Readonly<Record<string, (event: RotationEvent) => boolean>> = {
  make: ({ kind }) => kind === "VersionMade",
  set: ({ kind }) => kind === "VerifierSet",
  prove: ({ kind }) => kind === "Proven",
  "cut over": ({ kind }) => kind === "Adopted",
  publish: ({ kind }) => kind === "Published",
  quiet: ({ kind }) => kind === "ReadersQuiet",
  drain: ({ kind }) => kind === "SessionsDrained" || kind === "SessionsEnded",
  close: (event) => event.kind === "LoginSet" && !event.login,
  grace: ({ kind }) => kind === "GraceOver",
  renew: ({ kind }) => kind === "Finished",
};

/** Gives how long each step took, from the end of the step before it; a step that was not taken is absent. */
export function secondsOfSteps(journal: Journal): Readonly<Record<string, number>> {
  const seconds: Record<string, number> = {};
  let before = journal[0]?.event.at ?? 0;
  for (const [step, ends] of Object.entries(stepEnds)) {
    const end = journal.find(({ event }) => ends(event) && event.at >= before)?.event.at;
    if (end === undefined) continue;
    seconds[step] = (end - before) / 1000;
    before = end;
  }
  return seconds;
}

/** How long it took until a new version was used: by the app since it was made, by readers since it was published. */
export interface Adoption {
  readonly app: number | null;
  readonly readers: Readonly<Record<string, number>>;
}

/** Gives when the app and the readers had adopted the version that a rotation published. */
export function adoptionOf(journal: Journal, readers: readonly ReaderCounts[]): Adoption {
  const adopted = journal.map(({ event }) => event).find((event) => event.kind === "Adopted");
  // A slow answer of the vault may be noted after readers have the version. It was sent after the fact before.
  const index = journal.findIndex(({ event }) => event.kind === "Published");
  const published = journal[index - 1]?.event.at ?? Number.POSITIVE_INFINITY;
  const ended = journal.at(-1)?.event.at ?? 0;
  const lags = readers
    .flatMap(({ adoptions }) => adoptions)
    .filter(({ at }) => at >= published && at <= ended)
    .map(({ who, at }) => [who, (at - published) / 1000] as const);
  return { app: adopted?.kind === "Adopted" ? adopted.seconds : null, readers: Object.fromEntries(lags) };
}

/** What was written, in the vault and on the server, and by the journal. */
export interface Written {
  readonly slotVersions: number;
  readonly published: number;
  readonly passwordChanges: number;
}

/** Counts what a rotation wrote by its journal. */
export const writtenBy = (journal: Journal): Written => {
  const count = (kind: RotationEvent["kind"]): number => journal.filter(({ event }) => event.kind === kind).length;
  return {
    slotVersions: count("VersionMade"),
    published: count("Published"),
    passwordChanges: count("VerifierSet"),
  };
};

/** Counts what the vault and the server have of a rotation. @param changesBefore passwords changed before it */
export async function foundOf(estate: Estate, rotation: string, changesBefore: number): Promise<Written> {
  const { credential } = estate.credential;
  const made = async (secret: string): Promise<number> =>
    (await estate.versions(secret)).filter(({ properties }) => properties.tags?.["ballast-rotation"] === rotation)
      .length;
  const slotVersions = await Promise.all((["a", "b"] as const).map((slot: Slot) => made(`${credential}-${slot}`)));
  return {
    slotVersions: slotVersions.reduce((sum, count) => sum + count, 0),
    published: await made(credential),
    passwordChanges: (await changesOf(estate)) - changesBefore,
  };
}

/** Counts the changes of passwords on the server. */
export const changesOf = async ({ admin }: Estate): Promise<number> =>
  Number((await admin("select count(*) from ballast_rotation.changes"))[0]!["count"]);
