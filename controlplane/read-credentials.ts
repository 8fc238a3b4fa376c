// Reads the declared credentials from the environment. A consumer must be a managed app: its cut-over is a rollout.
import { list, read } from "../engines/form.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { completedCredential, objectionsToCredentials } from "../engines/rotation/declaration.ts";
import type { Credential } from "../engines/rotation/vocabulary.ts";
import type { AppTarget } from "../engines/targets.ts";

/** Gives the credentials of a variable, and adds every complaint about them. */
export function readCredentials(
  variable: string,
  managed: readonly AppTarget[],
  complaints: string[],
): readonly Credential[] {
  if (variable.trim() === "") return [];
  const parsed = read(list(completedCredential), parsedJson(variable));
  if ("complaints" in parsed) {
    complaints.push(`BALLAST_CREDENTIALS is not a JSON list of credentials: ${parsed.complaints.join(" ")}`);
    return [];
  }
  complaints.push(
    ...objectionsToCredentials(parsed.value, managed).map((objection) => `BALLAST_CREDENTIALS: ${objection}`),
  );
  return parsed.value;
}
