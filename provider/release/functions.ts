// The Pulumi functions around the write of an app by `pulumi up`: lock it for a short time, unlock it, and say what a
// revision was made for. An unreachable control plane is an answer here and not an error: whether the app may be
// written without it depends on what changes.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { controlPlane } from "../../client/control-plane.ts";
import { anything } from "../../engines/foreign-forms.ts";
import { described, dictionary, type Form, line, object, optional, read } from "../../engines/form.ts";
import { lockSeconds } from "../../engines/targets.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { failuresOf, propertiesOf } from "../package-schema.ts";
import { type Failure, type FunctionType, type Properties, unknownValue } from "../resource-type.ts";
import { addressFields, bodyOf, type ReleaseInputs } from "./fields.ts";
import { onceManaged, refusalOf, refuseUnmanaged } from "./managed.ts";

const text = { type: "string" };
const lockForm = object({
  ...addressFields,
  seconds: lockSeconds,
  release: optional(
    described(
      dictionary(anything),
      "How a release is asked for after the write, as the inputs of a Release. What the control plane would refuse " +
        "then is refused now, and it is waited for as long as a release would.",
    ),
  ),
});
const unlockForm = object({ ...addressFields, id: line(64, { description: "The id of the lock." }) });

const appForm = object(addressFields);
const revisionForm = object({ ...addressFields, revision: line(64, { description: "A revision of the app." }) });

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

/**
 * Locks an app: gives `{id, until}`, or `{heldBy}` if the app is already locked.
 *
 * An answer that comes too late leaves a lock behind, for which the rollout would wait until it expires. So the caller
 * gets the id also without an answer.
 */
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
  invoke: async (args, { patienceSeconds, ...access }) => {
    const id = randomUUID();
    const answered = await unlessUnreachable(async () => {
      const { release } = args as { readonly release?: object };
      // What names the revision is known only after the write.
      const next = release && bodyOf({ ...release, release: "the next revision" } as ReleaseInputs);
      // A look-up has little patience. Here an update depends on the answer.
      const plane = controlPlane(release || patienceSeconds === undefined ? access : { ...access, patienceSeconds });
      const locked = () => plane.lock(targetIn(args), Number(args["seconds"]), next, id);
      return { ...(await onceManaged(locked, sleep)) };
    });
    return "unreachable" in answered ? { ...answered, id } : answered;
  },
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

/** Refuses an app that the control plane does not manage: gives `{}` for any other, and if nothing answers. */
export const managed: FunctionType = {
  token: "ballast:index:managed",
  schema: {
    description:
      "Fails if the control plane answers that it does not manage an app, so that nobody creates an app which " +
      "nothing could release. A control plane that cannot say so is no reason to fail.",
    inputs: { ...propertiesOf(appForm) },
    outputs: { properties: {} },
  },
  check: checkFor(appForm),
  // A look-up has little patience. Here a write depends on the answer.
  invoke: async (args, { patienceSeconds: _little, ...access }) => {
    const [plane, target] = [controlPlane(access), targetIn(args)];
    if (await refusalOf(plane, target)) await onceManaged(() => refuseUnmanaged(plane, target), sleep);
    return {};
  },
};

/** Gives the name of the release that made a revision, if the control plane carried it out: `{release}`, or `{}`. */
export const releaseOf: FunctionType = {
  token: "ballast:index:releaseOf",
  schema: {
    description: "Names the release of a revision, as whoever asked for it named it.",
    inputs: { ...propertiesOf(revisionForm) },
    outputs: { properties: { release: text, unreachable: text } },
  },
  check: checkFor(revisionForm),
  invoke: (args, access) =>
    unlessUnreachable(async () => {
      const shown = await controlPlane(access).show({ ...targetIn(args), revision: String(args["revision"]) });
      return shown === undefined ? {} : { release: shown.release };
    }),
};

/** Answers as soon as the provider runs: `{}`. */
export const ready: FunctionType = {
  token: "ballast:index:ready",
  schema: {
    description:
      "Answers as soon as the provider runs. A hook may not be the first to call the provider: the Pulumi CLI starts " +
      "it as one of its steps, and waits with that while hooks take all places for steps.",
    inputs: {},
    outputs: { properties: {} },
  },
  check: () => [],
  invoke: async () => ({}),
};
