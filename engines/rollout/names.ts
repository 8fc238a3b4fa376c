// The names of rollouts: the ids that are also the streams of the journal.
import { type Form, text } from "../form.ts";
import { partsOf, streamOf as streamNamed } from "../kind.ts";
import { appForms } from "../targets.ts";
import type { Target } from "./vocabulary.ts";

/** The parts of a rollout's name, as Azure names the things. */
export const parts = {
  ...appForms,
  revision: text("a revision's name", {
    most: 64,
    pattern: "^[A-Za-z][A-Za-z0-9-]*$",
    description: "The revision to release.",
  }),
} satisfies Readonly<Record<string, Form<string>>>;

const naming = { kind: "rollout", calls: { parts } };

/** Gives the stream of a rollout, which is also its id everywhere. Azure ignores case, so it is in lower case. */
export const streamOf = ({ resourceGroup: rg, app }: Target, revision: string): string =>
  streamNamed(naming, { rg, app, revision });

/** Gives the target of a stream; undefined if the stream is not that of a rollout. */
export function targetOf(stream: string): Target | undefined {
  const { rg, app } = partsOf(naming, stream) ?? {};
  return rg === undefined || app === undefined ? undefined : { resourceGroup: rg, app };
}
