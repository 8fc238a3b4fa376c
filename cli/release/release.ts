// `ballast release …`: what the group of commands about rollouts shows, and the signals that it sends.
import { type RolloutSummary, type RolloutTypes, rollouts, succeeded } from "../../client/rollouts.ts";
import type { Balance } from "../../engines/rollout/judge/judge.ts";
import { ratio } from "../../engines/rollout/judge/wording.ts";
import { replay } from "../../engines/rollout/rollout.ts";
import { personalSignalNames, personalSignals } from "../../engines/rollout/signals.ts";
import { phaseWords } from "../../engines/rollout/wording.ts";
import { many } from "../../engines/wording.ts";
import { beyondResult, utc } from "../streams/lines.ts";
import type { SignalCommand, Work } from "../streams/work.ts";
import { rolloutFinder } from "./find.ts";
import { addReport } from "./report.ts";

const signals: readonly SignalCommand<RolloutTypes["signal"]>[] = personalSignalNames.map((signal) => ({
  signal,
  ...personalSignals[signal],
}));

/** Rollouts, as the command line shows them. */
export const release: Work<RolloutTypes> = {
  command: "release",
  description: "inspect, follow and control rollouts",
  streams: rollouts,
  exampleNames: ["storefront", "storefront/storefront--0000003"],
  finder: rolloutFinder,
  filters: [
    { filter: "app", selects: "of this app", example: "storefront" },
    { filter: "resourceGroup", selects: "in this resource group", example: "shop" },
  ],
  columns: [
    { head: "APP", textOf: ({ app }) => app },
    { head: "REVISION", textOf: ({ revision }) => revision },
    { head: "IMAGE", textOf: ({ images }) => images?.map(shortImage).join(", ") ?? "-" },
    {
      head: "RESULT",
      textOf: ({ result, paused, phase, percent }) =>
        result ?? `${paused ? "paused" : phaseWords(phase)}, ${percent} %`,
    },
    { head: "STARTED (UTC)", textOf: ({ startedAt }) => utc(startedAt) },
    { head: "WHY", textOf: ({ result, message }) => beyondResult(result, message) },
  ],
  shown: "weights, phase, result and reason",
  rowsOf,
  failures: ["Aborted", "AttemptFailed", "TrafficDrifted"],
  observations: [
    "Inspected",
    "TrafficShifted",
    "TrafficRead",
    "Measured",
    "Probed",
    "Activated",
    "Deactivated",
    "Disregarded",
  ],
  unexplained: ["Waited"],
  isSuccess: succeeded,
  successMeans: "the release was promoted or is unchanged from stable",
  signals,
  replay,
  addOwn: addReport,
};

/** Gives an image without its registry, and a digest by its first characters, as in `storefront:4`. */
const shortImage = (image: string): string =>
  image.slice(image.lastIndexOf("/") + 1).replace(/@sha256:([0-9a-f]{12})[0-9a-f]*$/, "@$1");

function rowsOf(rollout: RolloutSummary): readonly (readonly [string, string])[] {
  const { percent, images, result, phase, paused, attempt, message, evidence, startedAt, facts } = rollout;
  return [
    ["traffic", `canary ${percent} %, stable ${100 - percent} %`],
    [
      "phase",
      `${paused ? `paused in ${phaseWords(phase)}` : phaseWords(phase)}${attempt > 1 ? `, attempt ${attempt}` : ""}`,
    ],
    ...(images ? [["image", images.join(", ")] as const] : []),
    ["result", result ?? "in progress"],
    ["why", beyondResult(result, message)],
    ...(evidence ? [["evidence", evidenceLine(evidence)] as const] : []),
    ["started", `${new Date(startedAt).toISOString()}, ${many(facts, "fact")} in the journal`],
  ];
}

/** Compares the odds collected so far with those that decide, as `20 : 1`. */
function evidenceLine({ against, againstMax, favour, favourMin }: Balance): string {
  const negative = `against the canary ${odds(against)}, rolls back at ${odds(againstMax)}`;
  return favour === null
    ? negative
    : `${negative}; in its favour ${odds(favour)}, and more than half of the traffic needs ${odds(favourMin)}`;
}

const odds = (times: number): string => ratio(Math.log(times));
