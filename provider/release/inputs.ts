// How the inputs of a `ballast:index:Release` are checked, and which of their changes require a new rollout. Each field
// is checked as the control plane would; whether the plan as a whole makes sense is the control plane's to say.

import { succeeded } from "../../client/rollouts.ts";
import { canonical } from "../../engines/canonical.ts";
import { cutOverSuffix } from "../../engines/rotation/cut-over-names.ts";
import { canaryAppMoved } from "../../errors/canary-app.ts";
import type { BallastError } from "../../errors/catalogue.ts";
import { releasePlanLater } from "../../errors/provider.ts";
import { checkBy } from "../package-schema.ts";
import { type Change, isOther, isUnknown, type Properties, unknownValue } from "../resource-type.ts";
import { inputsForm, type ReleaseInputs } from "./fields.ts";

/** Checks each field as the control plane would. */
export const check = checkBy(inputsForm);

/**
 * Reports whether the resource needs an update or a replacement.
 *
 * These are no reason: the revision's name, which no preview of a change to the app knows; how to reach the control
 * plane; strategy and thresholds, which apply to the next release. A rollout that did not end well is always a reason:
 * the same program then gets the same message again, and a revert to the previous release, which the state would call
 * unchanged, is released like any other. So is a revision that serves no longer, since another client gave its traffic
 * to another one: the control plane then sees who serves.
 *
 * The last release is read from the outputs: after a failed update the old inputs are still those of the release
 * before, even if a retry succeeded since. A group that a preview does not know yet is not another one: the update
 * compares again, with the value.
 */
export function diff(oldInputs: Properties, oldOutputs: Properties, news: Properties): Change {
  const moved = movesOf(oldInputs, news);
  if (moved.length) return { kind: "replace", because: moved };
  const carriedOut = oldOutputs["release"] ?? oldInputs["release"];
  const because = [
    ...(carriedOut === news["release"] || isOfRotation(news, news["release"]) ? [] : ["release"]),
    ...(settled(oldOutputs, news) ? [] : ["result"]),
    ...(isAsLeft(oldOutputs, news) ? [] : ["serving"]),
  ];
  return because.length ? { kind: "update", because } : { kind: "none" };
}

const movesOf = (oldInputs: Properties, news: Properties) =>
  ["resourceGroup", "app"].filter((key) => isOther(oldInputs[key], news[key]));

/**
 * Refuses to move the release of a `CanaryApp`: with it, Pulumi would delete the app that serves and create another.
 * A release that a program declares alone may be replaced, since it owns no app.
 */
export function refuses(urn: string, oldInputs: Properties, news: Properties): BallastError | undefined {
  const moves = movesOf(oldInputs, news).map(
    (key) => `its ${key === "app" ? "name" : "resource group"} is ${oldInputs[key]}, and the program says ${news[key]}`,
  );
  const isOfCanaryApp = urn.includes("ballast:index:CanaryApp$");
  return isOfCanaryApp && moves.length > 0 ? canaryAppMoved({ app: String(oldInputs["app"]), moves }) : undefined;
}

/** The inputs that say how an app is released, as a program may change them without a release. */
const planFields = ["gate", "strategy", "thresholds", "dryRun", "probePath", "probe", "outsideWeights"] as const;

/**
 * Lists what a user should know about inputs that change nothing now: how an app is released applies only to the next
 * release. What a preview does not know yet may be unchanged, so the update tells of it.
 */
export function cautions(oldInputs: Properties, oldOutputs: Properties, news: Properties): readonly string[] {
  const changed = planFields.filter(
    (field) => !isUnknown(news[field]) && canonical(oldInputs[field] ?? null) !== canonical(news[field] ?? null),
  );
  if (changed.length === 0 || diff(oldInputs, oldOutputs, news).kind !== "none") return [];
  const isInFlight = oldOutputs["result"] === "in-flight";
  const { app, endpoint, audience } = news as unknown as ReleaseInputs;
  return [releasePlanLater({ app, endpoint, audience, changed: changed.join(", "), isInFlight }).toString()];
}

/** Reports whether the last rollout needs no further update. */
const settled = ({ result }: Properties, { wait }: Properties): boolean =>
  succeeded(result) || (result === "in-flight" && wait === false);

/**
 * Reports whether the revision serves that the last release left. An unchanged release left who served before it, which
 * nobody can tell if a canary shared the traffic then. During a rollout the traffic is the control plane's, and a
 * preview may not know who serves.
 */
function isAsLeft({ result, revision, serving: before }: Properties, news: Properties): boolean {
  const { serving } = news;
  if (serving === undefined || serving === unknownValue || !succeeded(result)) return true;
  return (
    isOfRotation(news, serving) ||
    (result === "unchanged" && before === "") ||
    [revision, ...(result === "unchanged" ? [before] : [])].some((left) => !isOther(left, serving))
  );
}

/** Reports whether a rotation made a revision: the template is the released one, and names the other slot. */
const isOfRotation = ({ app, credentialSlots }: Properties, revision: unknown): boolean =>
  Array.isArray(credentialSlots) && credentialSlots.length > 0 && cutOverSuffix(String(app), revision) !== undefined;
