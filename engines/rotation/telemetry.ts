// What telemetry records about rotations: their own metrics, and what a fact adds to them.
import type { Measured, Metric, Observed } from "../kind.ts";
import { credentialOf } from "./intent.ts";
import type { RotationEffect, RotationEvent, RotationState } from "./vocabulary.ts";

const metrics = {
  ended: {
    name: "ballast.rotations.ended",
    kind: "counter",
    unit: "{rotation}",
    says: "rotations that ended, by `result` and `credential`",
  },
  adoption: {
    name: "ballast.rotation.adoption",
    kind: "histogram",
    unit: "s",
    says: "time from a new version until a consumer was promoted with it, by `app` and `credential`",
  },
  versions: {
    name: "ballast.rotation.versions",
    kind: "counter",
    unit: "{version}",
    says: "versions that rotations have made, by `slot` and `credential`",
  },
  sessions: {
    name: "ballast.rotation.sessions",
    kind: "counter",
    unit: "{session}",
    says: "sessions of an old role that a rotation has ended, by `credential`",
  },
  refused: {
    name: "ballast.rotation.refused",
    kind: "counter",
    unit: "{login}",
    says: "readers found on a role that was to be quiet, by `credential`",
  },
} satisfies Readonly<Record<string, Metric>>;

const measured = (
  metric: keyof typeof metrics,
  value: number,
  attributes: Readonly<Record<string, string>> = {},
): readonly Measured[] => [{ metric, value, attributes }];

function countsOf(event: RotationEvent): readonly Measured[] {
  switch (event.kind) {
    case "Finished":
      return measured("ended", 1, { result: event.result });
    case "Adopted":
      return measured("adoption", event.seconds, { app: event.app });
    case "VersionMade":
      return measured("versions", 1, { slot: event.slot });
    case "SessionsEnded":
      return event.ended === 0 ? [] : measured("sessions", event.ended);
    case "ReaderFound":
      return measured("refused", 1);
    default:
      return [];
  }
}

export const telemetry: Observed<RotationEvent, RotationState, RotationEffect> = {
  attributesOf: (stream) => ({ credential: credentialOf(stream)?.credential ?? "" }),
  phaseOf: ({ phase }) => phase,
  attemptOf: ({ attempt }) => attempt,
  traceOf: ({ intent }) => intent?.trace,
  metrics,
  countsOf,
  passOf: () => [],
};
