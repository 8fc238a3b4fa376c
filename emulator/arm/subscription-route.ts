// The shape of a route that names no stored resource. subscription.ts has the table of them; a resource provider with
// routes of its own defines them beside its types.
import type { Principal } from "../authorization/tokens.ts";
import type { ArmReply, ArmRequest, Cloud, ResourceType } from "./resource.ts";

/** What a route is answered from. */
export interface Asked {
  readonly cloud: Cloud;
  readonly types: readonly ResourceType[];
  readonly request: ArmRequest;
  readonly principal: Principal;
  /** The part of the path that is authorised: `/subscriptions/…`, with a resource group if the path has one. */
  readonly scope: string;
  /** The parts of the path that differ. */
  readonly parts: readonly string[];
}

/** One route. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  /** What the caller must be allowed to do; absent when the answer says only what the caller may see. */
  readonly action?: string;
  /** Gives the answer; undefined leaves the request to the resource types. */
  readonly answer: (asked: Asked) => ArmReply | undefined;
}

/** Gives the pattern of a path below a resource provider, in the subscription or in a resource group. */
export const underProvider = (rest: string): RegExp =>
  new RegExp(`^(/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?)/providers/${rest}$`, "i");

/** The same of what only a subscription has: in a resource group there is nothing like it. */
export const underSubscription = (rest: string): RegExp =>
  new RegExp(`^(/subscriptions/[^/]+)/providers/${rest}$`, "i");
