// What stacks declare about remediations.
import { type Remediations, remediationsForm } from "../../../engines/remediation/declaration.ts";
import { type DeclaredThere, declaredIn, exampleProgram } from "./plane-settings.ts";
import type { StacksView } from "./view.ts";

const variable = "BALLAST_REMEDIATIONS";

/** Gives what is declared, and where. */
export const remediationsIn = (view: StacksView): readonly DeclaredThere<Remediations>[] =>
  declaredIn(view, variable, remediationsForm);

/** Writes the least program whose control plane has a policy for an app, for the examples of rules. */
export const exampleRemediations = (rule: string, runbook: string, objectives: readonly object[]): string =>
  exampleProgram(variable, {
    targets: [{ target: "app/shop/web", dependsOn: [] }],
    policies: [{ rule, owner: "shop team", targets: ["app/shop/web"], ladder: [{ runbook }], verification: {} }],
    objectives,
  });
