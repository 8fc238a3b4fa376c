// POST /alerts: a delivery of an action group's secure webhook. It wakes the poll of the alerts API and does nothing
// else, so that a token that was stolen can cause one more look and no action.

import { anything } from "../../engines/foreign-forms.ts";
import type { Form } from "../../engines/form.ts";
import { alertRefused, senderUnknown } from "../../errors/api.ts";
import { type Answer, answer, type Hint, refuse } from "./call.ts";

/** The application with which Azure Monitor signs in, the same in every tenant. */
export const azureMonitor = "461e8683-5575-4561-ac7f-899cc907d62a";

/** Azure's own limit for a payload. */
export const deliveryBytesMax = 256 * 1024;

/** A payload has many shapes, so it is read by a parser of its own. */
export const deliveryForm: Form<unknown> = {
  ...anything,
  schema: { type: "object", description: "An alert in the common alert schema." },
};

const nothingDeclared = (): Hint => ({ says: "ignore", why: "Nothing is declared about alerts." });

/** Answers a delivery. Azure repeats one that is answered with 408, 429, 503 or 504, and no other. */
export const deliverAlert: Answer = async ({ caller, body }, { hint = nothingDeclared }) => {
  if (caller.application !== azureMonitor) return refuse(403, senderUnknown({ application: azureMonitor }));
  const judged = hint(body);
  if (judged.says === "refuse") return refuse(400, alertRefused({ why: judged.why }));
  return answer(202, {
    looks: judged.says === "look",
    message: judged.says === "look" ? "The alerts are looked at now." : judged.why,
  });
};
