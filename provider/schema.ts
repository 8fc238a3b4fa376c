// What the provider can be asked for, as Pulumi's package schema: for `pulumi package` and for documents. The engine needs none of it.
import { defaultLimits, defaultPace } from "../engines/rollout/plan.ts";

const text = { type: "string" };
const number = { type: "number" };

const inputProperties = {
  endpoint: { ...text, description: "Address of the control plane: https, or http on 127.0.0.1." },
  audience: { ...text, default: "api://ballast", description: "Whom the control plane's tokens are for." },
  resourceGroup: text,
  app: { ...text, description: "Name of the Container App." },
  revision: { ...text, description: "The revision to release: the app's latest. A new name alone is no new release." },
  release: { ...text, description: "Hash of the app's template. A new hash is a new release." },
  pace: { $ref: "#/types/ballast:index:Pace" },
  limits: { $ref: "#/types/ballast:index:Limits" },
  shadowLimits: {
    $ref: "#/types/ballast:index:Limits",
    description: "Other limits that judge beside, without power; what they would have said is in the journal.",
  },
  probePath: { ...text, description: "Path that the revision's own address must answer with a status below 400." },
  wait: { type: "boolean", default: true, description: "Whether an update waits for the verdict." },
  whenInFlight: {
    ...text,
    default: "refuse",
    description: "What happens to a rollout that is in flight: `refuse` this one, or `supersede` that one.",
  },
  outsideWeights: {
    ...text,
    default: "restore",
    description: "Weights that somebody else moves: `restore` them, or `adopt` them.",
  },
  gate: { $ref: "#/types/ballast:index:Gate" },
};
const required = ["endpoint", "resourceGroup", "app", "revision", "release", "pace", "limits", "probePath"];
const numbers = (names: readonly string[]) => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, number])),
  required: names,
});
const pace = numbers(Object.keys(defaultPace).filter((name) => name !== "weights"));
const target = { endpoint: text, audience: text, resourceGroup: text, app: text };

/** Gives the schema as the protocol wants it: JSON in a string. */
export const schema = (version: string): string =>
  JSON.stringify({
    name: "ballast",
    version,
    description: "Releases on Azure Container Apps that wait for the control plane's verdict.",
    types: {
      "ballast:index:Pace": {
        ...pace,
        properties: { weights: { type: "array", items: number }, ...pace.properties },
        required: ["weights", ...pace.required],
      },
      "ballast:index:Limits": numbers(Object.keys(defaultLimits)),
      "ballast:index:Gate": numbers(["beforePercent", "expiresSeconds"]),
    },
    resources: {
      "ballast:index:Release": {
        description: "One release of a Container App, carried out step by step, promoted or rolled back.",
        inputProperties,
        requiredInputs: required,
        properties: {
          ...inputProperties,
          result: {
            ...text,
            description: "`promoted`, `equal`, `rolled-back`, `rejected`, `stranded`, or `in-flight` or `not-started`.",
          },
          sentence: { ...text, description: "Why it ended so, with its numbers." },
        },
        required: [...required, "result", "sentence"],
      },
    },
    functions: {
      "ballast:index:hold": {
        description:
          "Keeps the control plane from writing the app for a moment. Gives who holds it instead, or that nobody answers, as outputs.",
        inputs: {
          properties: { ...target, seconds: number },
          required: ["endpoint", "resourceGroup", "app", "seconds"],
        },
        outputs: { properties: { id: text, until: number, heldBy: text, unreachable: text } },
      },
      "ballast:index:unhold": {
        description: "Gives a hold back before its time.",
        inputs: { properties: { ...target, id: text }, required: ["endpoint", "resourceGroup", "app", "id"] },
        outputs: { properties: { unreachable: text } },
      },
    },
  });
