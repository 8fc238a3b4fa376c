// What a `ballast:index:Release` takes and gives, as forms. What is sent to the control plane has the forms of its API:
// a preview refuses what the control plane would refuse, and a field that a request gains is an input at once.
import { flag, type ObjectOf, object, oneOf, optional, text } from "../../engines/form.ts";
import { codesOf, type EndReason, results, type WaitReason } from "../../engines/rollout/reasons.ts";
import { requestFields } from "../../engines/rollout/request.ts";

const word = (description?: string) =>
  text("a text that is not empty", description === undefined ? {} : { description });
const { dryRun, ...asked } = requestFields;

/** The fields by which a function or a resource reaches the control plane, and names an app. */
export const addressFields = {
  endpoint: text("an https address without a path", {
    pattern: "^(https://[^/?#@\\s]+|http://127\\.0\\.0\\.1(:\\d+)?)/?$",
    description: "Address of the control plane: https, or http on 127.0.0.1.",
  }),
  audience: optional(word("Audience of tokens for the control plane."), "api://ballast"),
  resourceGroup: word("The app's resource group."),
  app: word("Name of the Container App."),
};

const inputFields = {
  ...addressFields,
  revision: word("The revision to release: the app's latest. A new name alone is no new release."),
  serving: optional(
    text("a text", {
      least: 0,
      description:
        "The revision that has all traffic as the program runs; empty if several share it. If it is another one than " +
        "the last release has left, the release is carried out again.",
    }),
  ),
  ...asked,
  dryRunThresholds: dryRun,
  wait: optional(flag({ description: "Whether an update waits until the rollout has ended." }), true),
};
export const inputsForm = object(inputFields);

/** The inputs of a release in a program. */
export interface ReleaseInputs extends ObjectOf<typeof inputFields> {}

const ends = [...codesOf(results), "in-flight", "not-started"] as const;
const outputFields = {
  result: oneOf(ends, {
    description:
      `${ends.map((end) => `\`${end}\``).join(", ")}. ` +
      "It is `in-flight` before the end, and `not-started` if the control plane did not confirm the start.",
  }),
  reason: text("a code", {
    least: 0,
    description: "Why the rollout ended or waits, as a code; empty while it goes on.",
  }),
  message: text("a text", { least: 0, description: "Why the rollout ended as it did, with numbers." }),
  trace: text("a trace id", {
    least: 0,
    description:
      "The trace of the run that made the release, from `TRACEPARENT` of its environment; empty if it had none. " +
      "An alert rule that has it among its properties leads from an alert to that run.",
  }),
  bound: optional(
    text("a digest", { description: "Binds the audience to the endpoint: only that host gets a token from a state." }),
  ),
};
export const outputsForm = object(outputFields);

/** The inputs with the result. */
export interface ReleaseOutputs extends ReleaseInputs, Omit<ObjectOf<typeof outputFields>, "reason"> {
  readonly reason: EndReason | WaitReason | "";
}

/** Gives the body of the request for a release: every field that a request has, under its name there. */
export const bodyOf = ({ dryRunThresholds, ...inputs }: ReleaseInputs): ObjectOf<typeof requestFields> =>
  Object.fromEntries(
    Object.entries({ ...inputs, dryRun: dryRunThresholds }).filter(
      ([name, value]) => Object.hasOwn(requestFields, name) && value !== undefined && value !== null,
    ),
  ) as unknown as ObjectOf<typeof requestFields>;
