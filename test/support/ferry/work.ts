// The ferry as the `ballast` command shows it: the one object that gives a new kind its group of commands.

import type { Work } from "../../../cli/streams/work.ts";
import type { StreamTypes } from "../../../client/streams.ts";
import type { Ended } from "../../../engines/kind.ts";
import type { FerryEvent, FerrySignal } from "./engine.ts";

export interface FerryTypes extends StreamTypes {
  readonly part: "harbour" | "trip";
  readonly summary: {
    readonly id: string;
    readonly load: string;
    readonly place: string;
    readonly result: string | null;
    readonly message: string;
    readonly startedAt: number;
  };
  readonly body: {
    readonly from: string;
    readonly to: string;
    readonly load: string;
    readonly crossingSeconds: number;
  };
  readonly filter: "harbour";
  readonly event: FerryEvent;
  readonly signal: FerrySignal;
  readonly end: Ended;
}

export const ferries: Work<FerryTypes> = {
  command: "ferry",
  description: "watch and turn ferries",
  streams: { kind: "ferry", plural: "ferries", parts: ["harbour", "trip"] },
  exampleNames: ["monday", "bay/monday"],
  filters: [{ filter: "harbour", selects: "of this harbour", example: "bay" }],
  columns: [
    { head: "FERRY", textOf: ({ id }) => id },
    { head: "RESULT", textOf: ({ result, place }) => result ?? place },
  ],
  shown: "load, place and result",
  rowsOf: ({ load, place, result }) => [
    ["load", load],
    ["place", place],
    ["result", result ?? "under way"],
  ],
  failures: ["Stumbled"],
  observations: [],
  unexplained: ["Crossed"],
  isSuccess: (result) => result !== "sunk",
  successMeans: "the load is at a dock",
  signals: [{ signal: "turn-back", description: "bring the load back", exampleMessage: "fog" }],
};
