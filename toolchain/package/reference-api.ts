// docs/reference/api.md: every call of the control plane's API with what it takes, answers and refuses, from the table
// and the schemas of which GET /openapi.json is made.
import { describe, refusalsOf } from "../../controlplane/api/openapi.ts";
import { operationsOf } from "../../controlplane/api/openapi-operations.ts";
import type { Answered, Operation } from "../../controlplane/api/operation.ts";
import type { Kinds } from "../../engines/kind.ts";
import { code, generatedFrom, plain, table } from "./markdown.ts";

/** The parts of JSON Schema that the API uses. */
interface JsonSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Properties;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly [bound: `${"min" | "max" | "exclusiveMin"}${string}`]: number;
}
type Properties = Readonly<Record<string, JsonSchema>>;

/** Gives the heading of a call. */
export const callTitle = ({ method, path }: Pick<Operation, "method" | "path">): string => `${method} ${path}`;

/** Gives the page. */
export function apiPage(kinds: Kinds): string {
  return [
    "# API of the control plane",
    generatedFrom("`controlplane/api/`"),
    "[The guide](../guides/api.md) says how to sign in and has examples. `GET /openapi.json` gives the same as " +
      "OpenAPI 3.1, and also the pattern of each string. Every refusal has the shape [`Error`](#error).",
    ...Object.values(operationsOf(kinds)).map(call),
    "## Shapes",
    ...Object.entries(describe(kinds).components.schemas as Properties).map(([name, schema]) => shape(name, schema)),
    "",
  ].join("\n\n");
}

function call(operation: Operation): string {
  const { role, summary, names = {}, query, body, answers } = operation;
  const parameter = (name: string, where: string, schema: JsonSchema): readonly string[] => [
    code(name),
    where,
    typeOf(schema),
    [schema.description, defaultOf(schema)].filter(Boolean).join(" "),
  ];
  const parameters = [
    ...Object.entries(names).map(([name, { schema }]) => parameter(name, "path", schema as JsonSchema)),
    ...Object.entries((query?.schema as JsonSchema | undefined)?.properties ?? {}).map(([name, schema]) =>
      parameter(name, "query", schema),
    ),
  ];
  return [
    `## ${code(callTitle(operation))}`,
    plain(summary),
    role === undefined ? "It needs no token." : `It needs a token with the role ${code(role)}.`,
    ...(parameters.length === 0 ? [] : [table(["parameter", "in", "type", "description"], parameters).trimEnd()]),
    ...(body === undefined
      ? []
      : [table(["field of the body", "type", "description"], fieldRows(body.schema as JsonSchema)).trimEnd()]),
    table(
      ["status", "answer"],
      [
        ...Object.entries<Answered>(answers).map(([status, answer]) => [status, answerOf(answer)]),
        ...Object.entries(refusalsOf(operation)).map(([status, ids]) => [
          status,
          [
            `Refused: ${ids.map(errorLink).join(", ")}.`,
            ...Object.entries(operation.refusedWith?.[Number(status)] ?? {}).map(
              ([name, schema]) => `Beside the error: ${code(name)}. ${schema["description"]}`,
            ),
          ].join(" "),
        ]),
      ],
    ).trimEnd(),
  ].join("\n\n");
}

const errorLink = (id: string): string => `[${code(id)}](errors.md#${id})`;

const answerOf = ({ description: words, shape: schema, mediaType }: Answered): string =>
  [
    plain(words),
    ...(schema === undefined
      ? []
      : [`Body: ${inline(schema as JsonSchema)}${mediaType === undefined ? "" : `, ${code(mediaType)}`}.`]),
  ].join(" ");

/** Gives a row for each field, also of objects within. A field with the shape of an earlier one refers to that. */
function fieldRows(schema: JsonSchema): readonly (readonly string[])[] {
  const seen = new Map<string, string>();
  const rowsOf = (object: JsonSchema, prefix: string): readonly (readonly string[])[] =>
    Object.entries(object.properties ?? {}).flatMap(([key, field]) => {
      const name = prefix + key;
      const inner = objectIn(field);
      const earlier = inner?.title === undefined ? undefined : seen.get(inner.title);
      const meaning = meaningOf(field, !object.required?.includes(key));
      if (earlier !== undefined) return [[code(name), `object with the fields of ${code(earlier)}`, meaning]];
      const row = [code(name), typeOf(field), meaning];
      if (inner === undefined) return [row];
      if (inner.title !== undefined) seen.set(inner.title, name);
      return [row, ...rowsOf(inner, `${name}.`)];
    });
  return rowsOf(schema, "");
}

/** Finds the object that a field is, or may be. */
const objectIn = (field: JsonSchema): JsonSchema | undefined =>
  [field, ...(field.anyOf ?? [])].find(({ type }) => type === "object");

const meaningOf = (field: JsonSchema, isOptional: boolean): string =>
  [isOptional ? "Optional." : "", plain(field.description ?? ""), defaultOf(field)].filter(Boolean).join(" ");

const defaultOf = (schema: JsonSchema): string =>
  schema.default === undefined ? "" : `${code(JSON.stringify(schema.default))} by default.`;

/** Gives the section of a named shape: its fields, or its variants. */
function shape(name: string, schema: JsonSchema): string {
  const fields =
    schema.oneOf === undefined
      ? table(["field", "type", "description"], fieldRows(schema))
      : schema.oneOf.map((variant) => `- ${variantOf(variant)}\n`).join("");
  const words = schema.description === undefined ? [] : [plain(schema.description)];
  return [`### ${code(name)}`, ...words, fields.trimEnd()].join("\n\n");
}

/** Gives a variant by its constant, if it has one, and the names of its other fields. */
function variantOf({ properties = {} }: JsonSchema): string {
  const { true: constants = [], false: others = [] } = Object.groupBy(Object.entries(properties), ([, field]) =>
    field.const === undefined ? "false" : "true",
  );
  const list = others.length === 0 ? "no fields" : others.map(([name]) => code(name)).join(", ");
  return [...constants.map(([, field]) => code(String(field.const))), list].join(": ");
}

/** Gives a schema within a sentence: an object without a name by its fields. */
const inline = (schema: JsonSchema): string =>
  schema.properties === undefined
    ? typeOf(schema)
    : Object.entries(schema.properties)
        .map(([name, field]) => `${code(name)} (${typeOf(field)})`)
        .join(", ");

/** Gives the type of a value with its bounds. */
function typeOf(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return link(schema.$ref.split("/").at(-1)!);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return either(schema.enum.map((each) => code(JSON.stringify(each))));
  if (schema.anyOf !== undefined) return either(schema.anyOf.map(typeOf));
  if (schema.items !== undefined)
    return `list${bounds(schema, "minItems", "maxItems", " items")} of ${typeOf(schema.items)}`;
  if (schema.type === "string") return `string${bounds(schema, "minLength", "maxLength", " characters")}`;
  return `${either([schema.type ?? "any value"].flat())}${bounds(schema, "minimum", "maximum", "")}`;
}

const either = (all: readonly string[]): string => new Intl.ListFormat("en", { type: "disjunction" }).format(all);

const link = (name: string): string => `[${code(name)}](#${name.toLowerCase()})`;

function bounds(schema: JsonSchema, least: `min${string}`, most: `max${string}`, unit: string): string {
  const { exclusiveMinimum: above, [least]: from, [most]: to } = schema;
  if (from !== undefined && to !== undefined) return ` (${from} to ${to}${unit})`;
  const parts = [
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(from === undefined ? [] : [`at least ${from}`]),
    ...(to === undefined ? [] : [`at most ${to}`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")}${unit})`;
}
