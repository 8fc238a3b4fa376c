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
  settingsIn(view, "BALLAST_REMEDIATIONS").flatMap(({ node, path, text }) => {
    const parsed = read(remediationsForm, parsedJson(text));
    return "value" in parsed ? [{ node, path, declared: parsed.value }] : [];
  });

/** Gives the values of a variable in the containers of apps, and where each is; one that is not a text is empty. */
export const settingsIn = (view: StacksView, variable: string) =>
  view.ofType("app:ContainerApp").flatMap((node) =>
    view
      .find(node, `${variables}.name`)
      .filter(({ value }) => value === variable)
      .map(({ path: named }) => {
        const path = named.replace(/name$/, "value");
        const hit = view.find(node, `${variables}.value`).find((each) => each.path === path);
        return { node, path, text: typeof hit?.value === "string" ? hit.value : "" };
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
