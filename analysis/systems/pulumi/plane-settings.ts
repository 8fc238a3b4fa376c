// What stacks declare to the control plane: its app has each declaration as JSON in a variable of its container.
import { type Form, read } from "../../../engines/form.ts";
import { parsedJson } from "../../../engines/parsed-json.ts";
import type { ResourceNode } from "./nodes.ts";
import type { StacksView } from "./view.ts";

/** What one app declares, and where. */
export interface DeclaredThere<Value> {
  readonly node: ResourceNode;
  readonly path: string;
  readonly declared: Value;
}

const variables = "template.containers[].env[]";

/** Gives what the variable of any app declares. What the control plane would refuse is left to it. */
export const declaredIn = <Value>(
  view: StacksView,
  variable: string,
  form: Form<Value>,
): readonly DeclaredThere<Value>[] =>
  view.ofType("app:ContainerApp").flatMap((node) =>
    view
      .find(node, `${variables}.name`)
      .filter(({ value }) => value === variable)
      .flatMap(({ path: named }) => {
        const path = named.replace(/name$/, "value");
        const hit = view.find(node, `${variables}.value`).find((each) => each.path === path);
        const parsed = read(form, parsedJson(typeof hit?.value === "string" ? hit.value : ""));
        return "value" in parsed ? [{ node, path, declared: parsed.value }] : [];
      }),
  );

/** Writes the least program whose control plane has a declaration, for the examples of rules. */
export const exampleProgram = (variable: string, declared: unknown): string => `name: shop
runtime: yaml
resources:
  control-plane:
    type: azure-native:app:ContainerApp
    properties:
      template:
        containers:
          - name: control-plane
            env:
              - name: ${variable}
                value: '${JSON.stringify(declared)}'`;
