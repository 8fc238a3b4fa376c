// docs/reference/configuration.md: every key of the stack's configuration, from Pulumi.yaml, and the fields of those
// that are objects, from their forms.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { settingsForm } from "../../config/keys.ts";
import type { Schema } from "../../engines/schema.ts";
import { typeOfSchema } from "./form-members.ts";
import { code, generatedFrom, plain, table } from "./markdown.ts";

const root = join(import.meta.dirname, "..", "..");

interface Key {
  readonly type: string;
  readonly default?: unknown;
  readonly description: string;
}

type Keys = Readonly<Record<string, Key>>;

/** Gives the page. */
export function configurationPage(): string {
  const { config: keys } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { readonly config: Keys };
  const typeOf = (name: string, { type }: Key): string => {
    const schema = schemas[name] ?? {};
    return schema["enum"] === undefined ? type : typeOfSchema(schema);
  };
  return [
    "# Configuration",
    generatedFrom("`Pulumi.yaml` and `config/`"),
    "`pulumi config set ballast:<key> <value>` sets a key of the selected stack, and `--path` a field of an object: " +
      "`pulumi config set --path ballast:strategy.bakeSeconds 600`. A preview refuses a key that is unknown or has " +
      "the wrong type. A stack also needs `azure-native:subscriptionId`.",
    table(
      ["key", "type", "default", "description"],
      Object.entries(keys).map(([name, key]) => [
        code(`ballast:${name}`),
        code(typeOf(name, key)),
        key.default === undefined ? "*required*" : code(JSON.stringify(key.default)),
        plain(key.description),
      ]),
    ).trimEnd(),
    ...fieldSections(keys),
    "",
  ].join("\n\n");
}

const schemas: Readonly<Record<string, Schema>> = Object.fromEntries(
  Object.entries(settingsForm.fields).map(([name, { schema }]) => [name, schema]),
);

/** Gives a section for each key that is an object; keys with the same fields share one. */
function fieldSections(keys: Keys): readonly string[] {
  const fieldsOf = (key: string): Readonly<Record<string, Schema>> =>
    (schemas[key]?.["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  const byNames = Map.groupBy(
    Object.keys(keys).filter((key) => Object.keys(fieldsOf(key)).length > 0),
    (key) => Object.keys(fieldsOf(key)).join(),
  );
  return [...byNames.values()].map((sharing) => {
    const [key] = sharing as [string];
    const rows = Object.entries(fieldsOf(key)).map(([field, schema]) => [
      code(field),
      code(typeOfSchema(schema).replace("readonly ", "")),
      schema["default"] === undefined ? "" : code(JSON.stringify(schema["default"])),
      plain(String(schema["description"] ?? "")),
    ]);
    const title = `## Fields of ${sharing.map((each) => code(`ballast:${each}`)).join(" and ")}`;
    return `${title}\n\n${table(["field", "type", "default", "description"], rows).trimEnd()}`;
  });
}
