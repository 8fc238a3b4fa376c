// The ferry's request and facts, declared once as forms. Their types follow, and so does the codec that reads journals.
import { codecOf, type FactOf } from "../../../engines/codec.ts";
import { nullable, number, type ObjectOf, object, oneOf, text } from "../../../engines/form.ts";
import { intentForm } from "../../../engines/rollout/intent.ts";
import type { Instant } from "../../../engines/time.ts";

const word = text("a text", { least: 0 });

const crossingFields = {
  harbour: word,
  from: word,
  to: word,
  load: word,
  crossingSeconds: number(),
  /** The rollout to ask for once the load is put down. */
  release: nullable(object({ stream: word, intent: intentForm, waitSeconds: number() })),
  bookedBy: word,
};

/** A requested crossing. */
export interface Crossing extends ObjectOf<typeof crossingFields> {}

const forms = {
  Booked: object({ crossing: object(crossingFields) }),
  Loaded: object({}),
  Crossed: object({}),
  Unloaded: object({ dock: word }),
  ReleaseAsked: object({}),
  ReleaseEnded: object({ result: word }),
  Stumbled: object({
    over: oneOf(["TakeLoad", "Cross", "PutDown", "AskForRelease", "AwaitRelease"]),
    message: word,
  }),
  TurnedBack: object({ by: word, message: word }),
  Ignored: object({ why: word }),
  Moored: object({ result: oneOf(["arrived", "returned", "sunk"]), message: word }),
};

export type FerryEvent = { readonly at: Instant } & FactOf<typeof forms>;

export const ferryFacts = codecOf(forms);
