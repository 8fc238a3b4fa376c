// Types whose fields are declared as forms, as the reference and the package's declarations show them: with the type,
// the default and the description of each field. The compiler knows the types, but a description is a value.
import type { Fields } from "../../engines/form.ts";
import { gateForm, strategyForm, thresholdsForm } from "../../engines/rollout/intent.ts";
import type { Schema } from "../../engines/schema.ts";

/** One argument, output or field. A nested one has its parent's name before its own: `database.login.user`. */
export interface Member {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly documentation: string;
  /** The default, as its docstring gives it. */
  readonly byDefault?: string;
}

/** The part of an object's form that is shown. */
interface Shown {
  readonly fields: Fields;
  readonly about: { readonly description?: string };
}

/** The exported types that follow from a form, by name. */
export const typesOfForms: Readonly<Record<string, Shown>> = {
  Strategy: strategyForm,
  Thresholds: thresholdsForm,
  Gate: gateForm,
};

/** Gives the fields of a form. The default is the one that a program may rely on. */
export const fieldsOfForm = ({ fields }: Shown): readonly Member[] =>
  Object.entries(fields).map(([name, { schema, otherwise, mayBeAbsent = false }]) => ({
    name,
    type: typeOfSchema(schema),
    optional: mayBeAbsent,
    documentation: String(schema["description"] ?? ""),
    ...(otherwise === undefined ? {} : { byDefault: JSON.stringify(otherwise).replaceAll(",", ", ") }),
  }));

/** Writes the values of a schema as a type of TypeScript. */
export function typeOfSchema({ type, enum: words, items }: Schema): string {
  if (Array.isArray(words)) return words.map((word) => JSON.stringify(word)).join(" | ");
  if (type === "array") return `readonly ${typeOfSchema((items ?? {}) as Schema)}[]`;
  return type === "integer" ? "number" : String(type);
}

/**
 * Writes the fields of these types into declarations, where an editor looks for them.
 *
 * @param declarations What the compiler wrote: each type is an interface without fields of its own.
 */
export const withFields = (declarations: string): string =>
  Object.entries(typesOfForms).reduce((text, [name, form]) => {
    const empty = new RegExp(`(export interface ${name} extends [^{]*\\{)\\s*\\}`);
    if (!empty.test(text)) throw new Error(`the declarations have no ${name} that extends the type of a form`);
    return text.replace(empty, (_all, head: string) => `${head}\n${fieldsOfForm(form).map(declared).join("")}}`);
  }, declarations);

const declared = ({ name, type, optional, documentation, byDefault }: Member): string => {
  const tag = byDefault === undefined ? "" : `\n     *\n     * @default ${byDefault}`;
  return `    /**\n     * ${documentation}${tag}\n     */\n    readonly ${name}${optional ? "?" : ""}: ${type};\n`;
};
