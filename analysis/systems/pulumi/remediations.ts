// What stacks declare about remediations: the control plane's app has it as JSON in a variable of its container.
import { read } from "../../../engines/form.ts";
import { parsedJson } from "../../../engines/parsed-json.ts";
import { type Remediations, remediationsForm } from "../../../engines/remediation/declaration.ts";
import type { ResourceNode } from "./nodes.ts";
import type { StacksView } from "./view.ts";

/** What one app declares, and where. */
export interface DeclaredThere {
  readonly node: ResourceNode;
  readonly path: string;
  readonly declared: Remediations;
}

const variables = "template.containers[].env[]";

/** Gives what is declared. What the control plane would refuse is left to it. */
export const remediationsIn = (view: StacksView): readonly DeclaredThere[] =>
  view.ofType("app:ContainerApp").flatMap((node) =>
    view
      .find(node, `${variables}.name`)
      .filter(({ value }) => value === "BALLAST_REMEDIATIONS")
      .flatMap(({ path }) => {
        const place = path.replace(/name$/, "value");
        const hit = view.find(node, `${variables}.value`).find((each) => each.path === place);
        const parsed = read(remediationsForm, parsedJson(typeof hit?.value === "string" ? hit.value : ""));
        return "value" in parsed ? [{ node, path: place, declared: parsed.value }] : [];
      }),
  );

/** Writes the least program whose control plane has a policy for an app, for the examples of rules. */
export const exampleProgram = (rule: string, runbook: string, objectives: readonly object[]): string => `name: shop
runtime: yaml
resources:
  control-plane:
    type: azure-native:app:ContainerApp
    properties:
      template:
        containers:
          - name: control-plane
            env:
              - name: BALLAST_REMEDIATIONS
                value: '${JSON.stringify(exampleOf(rule, runbook, objectives))}'`;

const exampleOf = (rule: string, runbook: string, objectives: readonly object[]): object => ({
  targets: [{ target: "app/shop/web", dependsOn: [] }],
  policies: [{ rule, owner: "shop team", targets: ["app/shop/web"], ladder: [{ runbook }], verification: {} }],
  objectives,
});
