// `ballast credential …`: what the group of commands about rotations shows, and the signals that it sends.
import { type RotationSummary, type RotationTypes, rotations } from "../../client/rotations.ts";
import { personalSignalNames, personalSignals } from "../../engines/rotation/signals.ts";
import { many } from "../../engines/wording.ts";
import { utc } from "../streams/lines.ts";
import type { Work } from "../streams/work.ts";
import { addRotate } from "./rotate.ts";

/** Rotations, as the command line shows them. */
export const credential: Work<RotationTypes> = {
  command: "credential",
  description: "rotate database credentials, and watch their rotations",
  streams: rotations,
  exampleNames: ["mh3k2f", "shop-kv/database/mh3k2f"],
  filters: [
    { filter: "credential", selects: "of this credential", example: "database" },
    { filter: "vault", selects: "in this vault", example: "shop-kv" },
  ],
  columns: [
    { head: "CREDENTIAL", textOf: ({ vault, credential: name }) => `${vault}/${name}` },
    { head: "ROTATION", textOf: ({ rotation }) => rotation },
    { head: "CAUSE", textOf: ({ cause }) => cause },
    { head: "RESULT", textOf: ({ result, paused, phase }) => result ?? (paused ? "paused" : phase) },
    { head: "STARTED (UTC)", textOf: ({ startedAt }) => utc(startedAt) },
    { head: "WHY", textOf: ({ message }) => message },
  ],
  shown: "slots, phase, result and reason",
  rowsOf,
  failures: ["AttemptFailed", "VersionRejected", "ReaderFound"],
  observations: ["Inspected", "Probed", "RolloutEnded", "ReadersSeen", "Disregarded"],
  unexplained: ["Waited", "ReadersSeen"],
  isSuccess: (result) => result === "rotated" || result === "unchanged",
  successMeans: "the credential was rotated, or another version is published than the one that was due",
  signals: personalSignalNames.map((signal) => ({ signal, ...personalSignals[signal] })),
  addOwn: addRotate,
};

function rowsOf(rotation: RotationSummary): readonly (readonly [string, string])[] {
  const { vault, credential: name, cause, published, consumers, phase, paused, attempt, result, message } = rotation;
  return [
    ["credential", `${name} in ${vault}`],
    ["cause", cause],
    ["published", published === null ? "not read yet" : `slot ${published}`],
    ...consumers.map(({ app, slot }) => [app, `slot ${slot}`] as const),
    ["phase", `${paused ? `paused in ${phase}` : phase}${attempt > 1 ? `, attempt ${attempt}` : ""}`],
    ["result", result ?? "in progress"],
    ["why", message],
    ["started", `${new Date(rotation.startedAt).toISOString()}, ${many(rotation.facts, "fact")} in the journal`],
  ];
}
