// The invokes that a `pulumi up` makes just before it writes an app: take a short hold on it, and give it back. An absent
// control plane is an answer here and no failure, because the app must stay repairable without one.

import type { ControlPlane } from "../client/control-plane.ts";
import { BallastError } from "../errors/catalogue.ts";
import type { Failure, Properties } from "./release-inputs.ts";

const wanted = { "ballast:index:hold": ["seconds", "number"], "ballast:index:unhold": ["id", "string"] } as const;

/** Names the arguments that are missing, unknown or of another type; undefined for a token that is not ours. */
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
      .map((key) => ({ property: key, reason: `${key} is not known; known are ${Object.keys(types).join(", ")}.` })),
    ...Object.keys(types)
      .filter((key) => typeof args[key] !== types[key])
      .map((key) => ({ property: key, reason: `${key} is missing or no ${types[key]}.` })),
  ];
}

/** Gives `{id, until}`, or `{heldBy}` when the target is taken, or `{unreachable}` with the reason; `{}` for an unhold that worked. */
export async function invoke(token: string, args: Properties, controlPlane: ControlPlane): Promise<Properties> {
  const target = { resourceGroup: String(args["resourceGroup"]), app: String(args["app"]) };
  try {
    if (token === "ballast:index:hold") return { ...(await controlPlane.hold(target, Number(args["seconds"]))) };
    await controlPlane.unhold(target, String(args["id"]));
    return {};
  } catch (error) {
    if (error instanceof BallastError && error.id === "release-control-plane-unreachable")
      return { unreachable: error.message };
    throw error;
  }
}
