// The names of remediations: the ids that are also the streams of the journal.
import { type Form, text } from "../form.ts";
import { partsOf, streamOf as streamNamed } from "../kind.ts";
import type { TargetKey } from "../targets.ts";
import type { Incident } from "./intent.ts";
import { targetForms } from "./targets.ts";

/** The parts of a remediation's name: its target, and the incident. */
export const parts = {
  ...targetForms,
  incident: text("an incident's name", {
    most: 64,
    pattern: "^[A-Za-z0-9][A-Za-z0-9-]*$",
    description: "The incident: the id of its first alert, or a name of your own.",
  }),
} satisfies Readonly<Record<string, Form<string>>>;

const naming = { kind: "remediation", calls: { parts } };

/** Gives the stream of an incident. Each delivery of its alert leads to the same one, so it is acted on once. */
export function streamOf({ target, alert }: Pick<Incident, "target" | "alert">): string {
  const [type = "", rg = "", name = ""] = target.split("/");
  return streamNamed(naming, { type, rg, name, incident: alert.id });
}

/** Gives the target of a stream; undefined if the stream is not that of a remediation. */
export function targetIn(stream: string): TargetKey | undefined {
  const { type, rg, name } = partsOf(naming, stream) ?? {};
  return type === undefined ? undefined : `${type}/${rg}/${name}`;
}
