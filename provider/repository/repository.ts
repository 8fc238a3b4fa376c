// What the resources of a repository on GitHub share: its name, the access to it, and what is done when it does not
// answer. The token is in GITHUB_TOKEN of whoever runs the Pulumi CLI, and neither an input nor an output.
import { type Access, accessTo } from "../../client/github/access.ts";
import { text } from "../../engines/form.ts";
import { BallastError } from "../../errors/catalogue.ts";
import type { Properties, Voiced } from "../resource-type.ts";

/** The input that names the repository. */
export const repositoryField = text("owner/name", {
  pattern: "^[\\w.-]+/[\\w.-]+$",
  description: "The repository: `owner/name`.",
});

/** The id of a resource: a repository has one of each type, and GitHub ignores letter case. */
export const idOf = ({ repository }: Properties): string => String(repository).toLowerCase();

/** Finds the access in the environment. @throws workflows-no-token if there is none. */
export const accessOf = ({ repository }: Properties): Access => accessTo(String(repository), process.env);

/** Looks at a repository. Without an answer it warns that `unknown` are not known, and gives undefined. */
export async function look<Found>(
  { repository }: Properties,
  unknown: string,
  { warn }: Voiced,
  reading: () => Promise<Found>,
): Promise<Found | undefined> {
  try {
    return await reading();
  } catch (error) {
    if (!(error instanceof BallastError)) throw error;
    warn(`${repository} could not be read, so ${unknown} there are not known. ${error.message} (${error.id})`);
    return undefined;
  }
}

/** Removes something from a repository. One that is gone has nothing left to remove. */
export async function removing({ warn }: Voiced, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BallastError) || !/with status 404/.test(error.message)) throw error;
    warn(`${error.message} (${error.id}) Nothing was removed; the deletion continues.`);
  }
}
