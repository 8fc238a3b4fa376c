// Describes what rules could not judge, because it is known only after the update. Silence about it would look like
// approval.
import { nameOf } from "../analysis/systems/pulumi/names.ts";
import type { Unjudged } from "../analysis/systems/pulumi/view.ts";

/** Describes it: each rule with the number of values and the resources. */
export const describeUnjudged = (unjudged: ReadonlyMap<string, readonly Unjudged[]>): string =>
  [...unjudged]
    .map(([rule, values]) => {
      const names = [...new Set(values.map(({ urn }) => nameOf(urn)))];
      const shown = names.length > 3 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
      return `${rule} (${values.length} ${values.length === 1 ? "value" : "values"}: ${shown.join(", ")})`;
    })
    .join("; ");
