// Forms as Pulumi's package schema, and what is wrong with properties as the Pulumi CLI shows it. Pulumi's schema has
// no ranges, and refers to an object by its token, so what it says follows from a form's JSON Schema.
import { type Form, read } from "../engines/form.ts";
import { complaintWithValue, type Problem, pathOf } from "../engines/problem.ts";
import type { Schema } from "../engines/schema.ts";
import { type Failure, type Properties, type ResourceType, unknownValue } from "./resource-type.ts";

/** The part of JSON Schema that Pulumi's schema has too. */
interface Shape extends Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly items?: Shape;
  readonly additionalProperties?: Shape | false;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

/** The properties of an object with their names, and the names of those that are required. */
export interface Described {
  readonly properties: Properties;
  readonly required: readonly string[];
}

const tokenOf = (title: string): string => `ballast:index:${title}`;

/** Describes the fields of an object's form as properties. */
export const propertiesOf = ({ schema }: Form<object>): Described => propertiesIn(schema);

function propertiesIn({ properties = {}, required = [] }: Shape): Described {
  return {
    properties: Object.fromEntries(Object.entries(properties).map(([name, shape]) => [name, propertyOf(shape)])),
    required,
  };
}

/** Describes a resource by its forms. What goes in comes out again, beside the outputs. */
export function resourceSchema(description: string, inputs: Form<object>, outputs: Form<object>) {
  const taken = propertiesOf(inputs);
  const given = propertiesOf(outputs);
  return {
    description,
    inputProperties: taken.properties,
    requiredInputs: taken.required,
    properties: { ...taken.properties, ...given.properties },
    required: [...taken.required, ...given.required],
  };
}

/** Describes the named objects within an object's form as types, by token. */
export const typesOf = ({ schema }: Form<object>): Properties => Object.fromEntries(typesIn(schema));

/** Of objects with the same name the first one is described: later ones only say what they are used for. */
function typesIn({ properties = {} }: Shape, found = new Map<string, Properties>()): ReadonlyMap<string, Properties> {
  for (const shape of Object.values(properties)) {
    const { title, description } = shape;
    if (title !== undefined && !found.has(tokenOf(title)))
      found.set(tokenOf(title), {
        type: "object",
        ...(description === undefined ? {} : { description }),
        ...propertiesIn(shape),
      });
    typesIn(shape, found);
  }
  return found;
}

function propertyOf(shape: Shape): Properties {
  const { title, type, description, default: byDefault, items, additionalProperties: values } = shape;
  const said = {
    ...(description === undefined ? {} : { description }),
    ...(byDefault === undefined ? {} : { default: byDefault }),
  };
  if (type === "object" && title !== undefined) return { $ref: `#/types/${tokenOf(title)}`, ...said };
  if (type === "object" && typeof values === "object")
    return { type, additionalProperties: propertyOf(values), ...said };
  // Without its values, Pulumi would take them for texts.
  if (type === "object") return { type, additionalProperties: { $ref: "pulumi.json#/Any" }, ...said };
  if (type === "array") return { type, items: propertyOf(items ?? {}), ...said };
  return { type: type === "integer" ? "number" : type, ...said };
}

/**
 * Checks inputs by their form: fills in the defaults and lists every property that is unknown, missing or refused. A
 * placeholder fits anywhere.
 */
export const checkBy =
  (form: Form<object>): ResourceType["check"] =>
  (given) => {
    const parsed = read(form, given, { placeholder: unknownValue });
    return "value" in parsed
      ? { inputs: { ...parsed.value }, failures: [] }
      : { inputs: given, failures: failuresOf(parsed.problems) };
  };

/** Gives problems as the Pulumi CLI shows them, each beside its property. */
export const failuresOf = (problems: readonly Problem[]): readonly Failure[] =>
  problems.map((problem) => ({
    property: pathOf(problem.kind === "unknown" ? [...problem.at, problem.names[0] ?? ""] : problem.at),
    reason: complaintWithValue(problem),
  }));
