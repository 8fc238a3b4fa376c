// Texts with expressions, as far as the files decide them. Inputs of a callee are replaced by what its callers pass.
// Two templates are the same if what remains is the same text: an expression that the files do not decide is equal to
// itself only.
import { type Expression, piecesOf } from "./expressions.ts";
import type { JobNode, WorkflowNode } from "./nodes.ts";

/** Gives the text of an expression's value, or undefined if it is not known. */
export type Lookup = (path: readonly string[]) => string | undefined;

/** Replaces the expressions that the lookup knows. Others stay, in one spelling. */
export const fill = (template: string, lookup: Lookup): string =>
  piecesOf(template)
    .map((piece) => {
      if ("literal" in piece) return piece.literal;
      const value = piece.expression && valueOf(piece.expression, lookup);
      return value ?? `\${{ ${piece.source.replaceAll(/\s+/g, " ")} }}`;
    })
    .join("");

/** Values of `a || b`, `a && b || c` and `format()` are found if their parts are. */
function valueOf(expression: Expression, lookup: Lookup): string | undefined {
  if (expression.is === "literal") return String(expression.value ?? "");
  if (expression.is === "path") return lookup(expression.path);
  if (expression.is === "any") {
    const first = valueOf(expression.of[0]!, lookup);
    if (first === undefined) return undefined;
    if (first !== "" && first !== "false") return first;
    return expression.of.length === 1 ? first : valueOf({ ...expression, of: expression.of.slice(1) }, lookup);
  }
  if (expression.is === "call" && expression.name === "format") {
    const [form, ...args] = expression.args.map((each) => valueOf(each, lookup));
    if (form === undefined || args.some((each) => each === undefined)) return undefined;
    return form.replaceAll(/\{(\d+)\}/g, (_whole, index) => args[Number(index)] ?? "");
  }
  return undefined;
}

/** Looks up what is fixed by a workflow and by how it was called: inputs, `github.workflow`, plain `env`. */
export function lookupOf(workflow: WorkflowNode, job: JobNode | undefined, via: readonly JobNode[]): Lookup {
  return (path) => {
    const [context, name = ""] = path;
    if (context === "inputs" && path.length === 2) return inputOf(workflow, name, via);
    if (context === "env" && path.length === 2) {
      const entry = [...(job?.env ?? []), ...workflow.env].find(({ key }) => key.text === name);
      return entry && !entry.value.text.includes("${{") ? entry.value.text : undefined;
    }
    return undefined;
  };
}

function inputOf(workflow: WorkflowNode, name: string, via: readonly JobNode[]): string | undefined {
  const caller = via.at(-1);
  if (caller === undefined) return undefined;
  const passed = caller.with.find(({ key }) => key.text === name)?.value.text;
  if (passed !== undefined) return passed.includes("${{") ? undefined : passed;
  return workflow.inputs.find((input) => input.event === "workflow_call" && input.name === name)?.fallback;
}
