// What a request for a rollout looks like. The API reads bodies by this form and describes itself from it; the provider
// reads its inputs by the same fields, so that none of them can differ.

import { type ObjectOf, object, optional } from "../form.ts";
import type { Asked } from "../kind.ts";
import { appKey } from "../targets.ts";
import { askedFields, objectionsToGate, type ReleaseIntent, type Target, whenInFlightForm } from "./intent.ts";

/** The fields of a request, each with the default that it has in a request. */
export const requestFields = {
  ...askedFields,
  outsideWeights: optional(askedFields.outsideWeights, "restore"),
  whenInFlight: optional(whenInFlightForm, "refuse"),
};

/** The body of a release, as read. */
export interface AskedRelease extends ObjectOf<typeof requestFields> {}

/** The body of a request for a rollout. */
export const releaseForm = object(requestFields, { check: ({ gate, strategy }) => objectionsToGate(gate, strategy) });

/** Gives the intent of a request. The app is spelled as the control plane's settings spell it, if they name it. */
export function intentOf({ name, body, by, byName, trace, apps }: Asked<AskedRelease>): ReleaseIntent {
  const asked: Target = { resourceGroup: name["rg"] ?? "", app: name["app"] ?? "" };
  const { whenInFlight: _notStored, ...intent } = body;
  return {
    ...intent,
    target: apps.find((app) => appKey(app) === appKey(asked)) ?? asked,
    revision: (name["revision"] ?? "").toLowerCase(),
    requestedBy: by,
    ...(byName === undefined ? {} : { requestedByName: byName }),
    ...(trace === undefined ? {} : { trace }),
  };
}
