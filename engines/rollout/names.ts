// The names of rollouts: the ids that are also the streams of the journal.
import { type Form, text } from "../form.ts";
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

/** Gives the stream of a rollout, which is also its id everywhere. Azure ignores case, so it is in lower case. */
export const streamOf = (target: Target, revision: string): string =>
  `rollout/${target.resourceGroup}/${target.app}/${revision}`.toLowerCase();

/** Gives the target of a stream; undefined if the stream is not that of a rollout. */
export function targetOf(stream: string): Target | undefined {
  const [kind, resourceGroup, app, revision, ...rest] = stream.split("/");
  if (kind !== "rollout" || !resourceGroup || !app || !revision || rest.length > 0) return undefined;
  return { resourceGroup, app };
}
