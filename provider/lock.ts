// The Pulumi functions around the write of an app by `pulumi up`: lock it for a short time, and unlock it. An
// unreachable control plane is an answer here and not an error, because the app must stay repairable without one.

import type { ControlPlane } from "../client/control-plane.ts";
import { BallastError } from "../errors/catalogue.ts";
import type { Failure, Properties } from "./release-inputs.ts";

const wanted = { "ballast:index:lock": ["seconds", "number"], "ballast:index:unlock": ["id", "string"] } as const;

/** Lists the arguments that are missing, unknown or of another type; undefined if we have no such function. */
export function checkInvoke(token: string, args: Properties): readonly Failure[] | undefined {
  if (!(token in wanted)) return undefined;
  const types: Record<string, string> = {
    endpoint: "string",
    audience: "string",
    resourceGroup: "string",
    app: "string",
  };
  const [own, type] = wanted[token as keyof typeof wanted];
  types[own] = type;
  return [
    ...Object.keys(args)
      .filter((key) => !(key in types))
      .map((key) => ({ property: key, reason: `${key} is unknown; known are ${Object.keys(types).join(", ")}.` })),
    ...Object.keys(types)
      .filter((key) => typeof args[key] !== types[key])
      .map((key) => ({ property: key, reason: `${key} is missing or not a ${types[key]}.` })),
  ];
}

/**
 * Calls the function: `lock` gives `{id, until}`, or `{heldBy}` if the app is already locked; `unlock` gives `{}`. Both
 * give `{unreachable}` with the reason if the control plane does not answer.
 */
export async function invoke(token: string, args: Properties, controlPlane: ControlPlane): Promise<Properties> {
  const target = { resourceGroup: String(args["resourceGroup"]), app: String(args["app"]) };
  try {
    if (token === "ballast:index:lock") return { ...(await controlPlane.lock(target, Number(args["seconds"]))) };
    await controlPlane.unlock(target, String(args["id"]));
    return {};
  } catch (error) {
    if (error instanceof BallastError && error.id === "release-control-plane-unreachable")
      return { unreachable: error.message };
    throw error;
  }
}
