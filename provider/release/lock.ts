// The Pulumi functions around the write of an app by `pulumi up`: lock it for a short time, and unlock it. An
// unreachable control plane is an answer here and not an error: whether the app may be written without it depends on
// what changes.

import { controlPlane } from "../../client/control-plane.ts";
import { type Form, flag, line, object, optional, read } from "../../engines/form.ts";
import { lockSeconds } from "../../engines/targets.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { failuresOf, propertiesOf } from "../package-schema.ts";
import { type Failure, type FunctionType, type Properties, unknownValue } from "../resource-type.ts";
import { addressFields } from "./fields.ts";

const text = { type: "string" };
const lockForm = object({
  ...addressFields,
  seconds: lockSeconds,
  forRelease: optional(
    flag({ description: "Whether a release follows the write. If so, it waits for the control plane as that would." }),
    false,
  ),
});
const unlockForm = object({ ...addressFields, id: line(64, { description: "The id of the lock." }) });

/** Makes the check of arguments by their form. */
const checkFor =
  (form: Form<object>) =>
  (args: Properties): readonly Failure[] => {
    const parsed = read(form, args, { placeholder: unknownValue });
    return "problems" in parsed ? failuresOf(parsed.problems) : [];
  };

const targetIn = (args: Properties) => ({ resourceGroup: String(args["resourceGroup"]), app: String(args["app"]) });

/** Runs a call. A control plane that does not answer is an answer: `{unreachable}`, with the reason. */
async function unlessUnreachable(call: () => Promise<Properties>): Promise<Properties> {
  try {
    return await call();
  } catch (error) {
    if (
      error instanceof BallastError &&
      ["release-control-plane-unreachable", "journal-unreachable"].includes(error.id)
    )
      return { unreachable: error.message };
    throw error;
  }
}

/** Locks an app: gives `{id, until}`, or `{heldBy}` if the app is already locked. */
export const lock: FunctionType = {
  token: "ballast:index:lock",
  schema: {
    description:
      "Locks an app, so that the control plane shifts none of its traffic for a moment. " +
      "The outputs also report who has locked it already, or that the control plane is unreachable.",
    inputs: { ...propertiesOf(lockForm) },
    outputs: { properties: { id: text, until: { type: "number" }, heldBy: text, unreachable: text } },
  },
  check: checkFor(lockForm),
  invoke: (args, access) =>
    unlessUnreachable(async () => {
      const persistent = args["forRelease"] === true;
      return { ...(await controlPlane(access).lock(targetIn(args), Number(args["seconds"]), { persistent })) };
    }),
};

/** Unlocks an app: gives `{}`. */
export const unlock: FunctionType = {
  token: "ballast:index:unlock",
  schema: {
    description: "Unlocks an app before its lock expires.",
    inputs: { ...propertiesOf(unlockForm) },
    outputs: { properties: { unreachable: text } },
  },
  check: checkFor(unlockForm),
  invoke: (args, access) =>
    unlessUnreachable(async () => {
      await controlPlane(access).unlock(targetIn(args), String(args["id"]));
      return {};
    }),
};
