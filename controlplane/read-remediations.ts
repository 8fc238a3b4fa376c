// Reads BALLAST_REMEDIATIONS by the form by which a program declares it.
import { read } from "../engines/form.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import { objectionsToUnmanaged, type Remediations, remediationsForm } from "../engines/remediation/declaration.ts";
import type { AppTarget } from "../engines/targets.ts";

const none: Remediations = { targets: [], policies: [], objectives: [] };

/** Reads what is declared about remediations, and adds what is wrong with it to the complaints. */
export function readRemediations(
  variable: string | undefined,
  managed: readonly AppTarget[],
  complaints: string[],
): Remediations {
  if (!variable) return none;
  const declared = read(remediationsForm, parsedJson(variable));
  if ("value" in declared) {
    const { policies } = declared.value;
    complaints.push(...objectionsToUnmanaged(declared.value, managed));
    return { ...declared.value, policies: policies.map((policy) => ({ ...policy, rule: policy.rule.toLowerCase() })) };
  }
  complaints.push(`BALLAST_REMEDIATIONS is not what it must be: ${declared.complaints.join(" ")}`);
  return none;
}
