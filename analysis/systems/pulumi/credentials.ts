// What stacks declare about rotated credentials: the app of the control plane has them as JSON in a variable.
import { list, read } from "../../../engines/form.ts";
import { parsedJson } from "../../../engines/parsed-json.ts";
import { type Credential, completedCredential } from "../../../engines/rotation/declaration.ts";
import type { ResourceNode } from "./nodes.ts";
import { settingsIn } from "./remediations.ts";
import type { StacksView } from "./view.ts";

/** The credentials that one app declares, and where. */
interface CredentialsThere {
  readonly node: ResourceNode;
  readonly path: string;
  readonly declared: readonly Credential[];
}

/** Gives what is declared. What the control plane would refuse is left to it. */
export const credentialsIn = (view: StacksView): readonly CredentialsThere[] =>
  settingsIn(view, "BALLAST_CREDENTIALS").flatMap(({ node, path, text }) => {
    const parsed = read(list(completedCredential), parsedJson(text));
    return "value" in parsed ? [{ node, path, declared: parsed.value }] : [];
  });
