// The schema of a `ballast:index:Release`, for `pulumi package` and for documentation.
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";

const text = { type: "string" };
const number = { type: "number" };

const inputProperties = {
  endpoint: { ...text, description: "Address of the control plane: https, or http on 127.0.0.1." },
  audience: { ...text, default: "api://ballast", description: "Audience of tokens for the control plane." },
  resourceGroup: text,
  app: { ...text, description: "Name of the Container App." },
  revision: { ...text, description: "The revision to release: the app's latest. A new name alone is no new release." },
  release: { ...text, description: "Hash of the app's template. A new hash is a new release." },
  strategy: { $ref: "#/types/ballast:index:Strategy" },
  thresholds: { $ref: "#/types/ballast:index:Thresholds" },
  dryRunThresholds: {
    $ref: "#/types/ballast:index:Thresholds",
    description: "Thresholds for a dry run: their verdicts are in the journal, but have no effect.",
  },
  probePath: { ...text, description: "Path that the revision's own address must answer with a status below 400." },
  wait: { type: "boolean", default: true, description: "Whether an update waits until the rollout has ended." },
  whenInFlight: {
    ...text,
    default: "refuse",
    description: "What to do while another rollout is in flight: `refuse` this one, or `supersede` the other.",
  },
  outsideWeights: {
    ...text,
    default: "restore",
    description: "What to do when another client changes the weights: `restore` or `adopt` them.",
  },
  gate: { $ref: "#/types/ballast:index:Gate" },
};
const required = ["endpoint", "resourceGroup", "app", "revision", "release", "strategy", "thresholds", "probePath"];
const numbers = (names: readonly string[]) => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, number])),
  required: names,
});
const strategy = numbers(Object.keys(defaultStrategy).filter((name) => name !== "weights"));
/** The types that the resource uses, by token. */
export const types = {
  "ballast:index:Strategy": {
    ...strategy,
    properties: { weights: { type: "array", items: number }, ...strategy.properties },
    required: ["weights", ...strategy.required],
  },
  "ballast:index:Thresholds": numbers(Object.keys(defaultThresholds)),
  "ballast:index:Gate": numbers(["beforePercent", "expiresSeconds"]),
};

/** The resource. */
export const schema = {
  description: "One release of a Container App: a canary rollout that is promoted or rolled back.",
  inputProperties,
  requiredInputs: required,
  properties: {
    ...inputProperties,
    result: {
      ...text,
      description: "`promoted`, `unchanged`, `rolled-back`, `rejected`, `degraded`, `in-flight` or `not-started`.",
    },
    reason: { ...text, description: "Why the rollout ended or waits, as a code; empty while it goes on." },
    message: { ...text, description: "Why the rollout ended as it did, with numbers." },
  },
  required: [...required, "result", "reason", "message"],
};
