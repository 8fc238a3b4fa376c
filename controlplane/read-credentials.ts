// Reads the declared credentials from the environment. A consumer must be a managed app: its cut-over is a rollout.
import { list, read } from "../engines/form.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { completedCredential, secretKey } from "../engines/rotation/declaration.ts";
import type { Credential } from "../engines/rotation/vocabulary.ts";
import { type AppTarget, appKey } from "../engines/targets.ts";

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
  const keys = parsed.value.map(secretKey);
  const twice = parsed.value.find((_one, index) => keys.indexOf(keys[index]!) !== index);
  if (twice !== undefined) complaints.push(`BALLAST_CREDENTIALS names the credential ${twice.credential} twice.`);
  const apps = new Set(managed.map(appKey));
  for (const { credential, consumers } of parsed.value)
    for (const consumer of consumers.filter((one) => !apps.has(appKey(one))))
      complaints.push(
        `BALLAST_CREDENTIALS: ${consumer.app}, a consumer of ${credential}, is not in BALLAST_MANAGED_TARGETS.`,
      );
  return parsed.value;
}
