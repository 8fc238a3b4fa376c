// Switches that are read with the wrong type. `inputs` keeps the type of a boolean, and `github.event.inputs` makes it
// a text: true is never equal to 'true', and the text 'false' counts as true.
import { byPlace, type Text } from "../../place.ts";
import { type Expression, expressionsIn } from "./expressions.ts";
import { readersOf, readsInput } from "./input-readers.ts";
import type { Input, WorkflowNode } from "./nodes.ts";
import type { WorkflowsView } from "./view.ts";

/** A text that reads a switch with the wrong type, and what is wrong. */
export interface MistypedReader {
  readonly text: Text;
  readonly why: string;
}

/** Gives the readers of a switch if every one of them reads it with the wrong type. */
export function mistypedReaders(
  view: WorkflowsView,
  workflow: WorkflowNode,
  input: Input,
): readonly MistypedReader[] | undefined {
  if (input.type !== "boolean") return undefined;
  const jobs = view.jobsOf(workflow);
  const conditions = jobs.flatMap((job) => [job, ...view.stepsOf(job)]).flatMap(({ condition }) => condition ?? []);
  const isCondition = ({ place }: Text): boolean => conditions.some((each) => byPlace(each.place, place) === 0);
  const readers = readersOf(view, workflow, input.name).filter(({ isTold }) => !isTold);
  const reads = readers.flatMap(({ text }) =>
    expressionsIn(text.text, true)
      .flatMap((expression) => readsIn(expression, input.name, isCondition(text)))
      .map((why) => ({ text, why })),
  );
  const wrong = reads.filter((each): each is MistypedReader => each.why !== undefined);
  return wrong.length > 0 && wrong.length === reads.length ? wrong : undefined;
}

/** Gives what is wrong with each reading of an input in an expression; undefined for one that is right. */
function readsIn(expression: Expression, name: string, isTest: boolean): readonly (string | undefined)[] {
  switch (expression.is) {
    case "literal":
      return [];
    case "path":
      if (!readsInput(expression.path, name)) return [];
      return [isTest && !isTyped(expression.path) ? "github.event.inputs holds a text, and 'false' is one" : undefined];
    case "not":
      return readsIn(expression.of, name, true);
    case "all":
    case "any":
      return expression.of.flatMap((part) => readsIn(part, name, true));
    case "call":
      return expression.args.flatMap((part) => readsIn(part, name, false));
    default:
      return ofComparison(expression, name);
  }
}

const isTyped = (path: readonly string[]): boolean => path[0] === "inputs";

function ofComparison({ left, right }: Expression & { is: "compare" }, name: string): readonly (string | undefined)[] {
  const [asked, other] = left.is === "path" ? [left, right] : [right, left];
  if (asked.is !== "path" || other.is !== "literal" || !readsInput(asked.path, name))
    return [left, right].flatMap((part) => readsIn(part, name, false));
  if (isTyped(asked.path) && typeof other.value === "string")
    return [`it is a boolean, and a boolean is never equal to the text '${other.value}'`];
  if (!isTyped(asked.path) && typeof other.value === "boolean")
    return [`github.event.inputs holds a text, which is never equal to ${String(other.value)}`];
  return [undefined];
}
