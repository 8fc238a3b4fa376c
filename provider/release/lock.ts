// The Pulumi functions around the write of an app by `pulumi up`: lock it for a short time, and unlock it. An
// unreachable control plane is an answer here and not an error, because the app must stay repairable without one.

import { controlPlane } from "../../client/control-plane.ts";
import { BallastError } from "../../errors/catalogue.ts";
import type { Failure, FunctionType, Properties } from "../resource-type.ts";

const text = { type: "string" };
const seconds = { type: "number" };
const target = { endpoint: text, audience: text, resourceGroup: text, app: text };

const targetTypes = { endpoint: "string", audience: "string", resourceGroup: "string", app: "string" };

/** Makes the check of arguments: lists those that are missing, unknown or of another type. */
const checkFor =
  (own: Readonly<Record<string, string>>) =>
  (args: Properties): readonly Failure[] => {
    const wanted: Readonly<Record<string, string>> = { ...targetTypes, ...own };
    return [
      ...Object.keys(args)
        .filter((key) => !(key in wanted))
        .map((key) => ({ property: key, reason: `${key} is unknown; known are ${Object.keys(wanted).join(", ")}.` })),
      ...Object.keys(wanted)
        .filter((key) => typeof args[key] !== wanted[key])
        .map((key) => ({ property: key, reason: `${key} is missing or not a ${wanted[key]}.` })),
    ];
  };

const targetIn = (args: Properties) => ({ resourceGroup: String(args["resourceGroup"]), app: String(args["app"]) });

/** Runs a call. A control plane that does not answer is an answer: `{unreachable}`, with the reason. */
async function unlessUnreachable(call: () => Promise<Properties>): Promise<Properties> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof BallastError && error.id === "release-control-plane-unreachable")
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
    inputs: {
      properties: { ...target, seconds },
      required: ["endpoint", "resourceGroup", "app", "seconds"],
    },
    outputs: { properties: { id: text, until: { type: "number" }, heldBy: text, unreachable: text } },
  },
  check: checkFor({ seconds: "number" }),
  invoke: (args, access) =>
    unlessUnreachable(async () => ({ ...(await controlPlane(access).lock(targetIn(args), Number(args["seconds"]))) })),
};

/** Unlocks an app: gives `{}`. */
export const unlock: FunctionType = {
  token: "ballast:index:unlock",
  schema: {
    description: "Unlocks an app before its lock expires.",
    inputs: { properties: { ...target, id: text }, required: ["endpoint", "resourceGroup", "app", "id"] },
    outputs: { properties: { unreachable: text } },
  },
  check: checkFor({ id: "string" }),
  invoke: (args, access) =>
    unlessUnreachable(async () => {
      await controlPlane(access).unlock(targetIn(args), String(args["id"]));
      return {};
    }),
};
