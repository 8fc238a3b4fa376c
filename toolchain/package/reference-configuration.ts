// docs/reference/configuration.md: every key of the stack's configuration, from Pulumi.yaml, and the fields of those
// that are objects, from the settings that config.ts makes of the defaults.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseConfig } from "../../config.ts";
import type { Member, Sources } from "./exported-types.ts";
import { code, generatedFrom, plain, table } from "./markdown.ts";

const root = join(import.meta.dirname, "..", "..");

interface Key {
  readonly type: string;
  readonly default?: unknown;
  readonly description: string;
}

type Keys = Readonly<Record<string, Key>>;

/** Gives the page. */
export function configurationPage(sources: Sources): string {
  const { config: keys } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { readonly config: Keys };
  const members = sources.fields("config.ts", "Settings");
  const typeOf = (name: string, { type }: Key): string => {
    const read = members.find((member) => member.name === name)?.type ?? "";
    return read.startsWith('"') ? read : type;
  };
  return [
    "# Configuration",
    generatedFrom("`Pulumi.yaml` and `config.ts`"),
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
    ...fieldSections(keys, members),
    "",
  ].join("\n\n");
}

/** Gives a section for each key that is an object; keys with the same fields share one. */
function fieldSections(keys: Keys, members: readonly Member[]): readonly string[] {
  const settings: Readonly<Record<string, unknown>> = { ...defaultSettings(keys) };
  const fieldsOf = (key: string): readonly Member[] => members.filter(({ name }) => name.startsWith(`${key}.`));
  const byNames = Map.groupBy(
    Object.keys(keys).filter((key) => fieldsOf(key).length > 0),
    (key) =>
      fieldsOf(key)
        .map(({ name }) => name.slice(key.length))
        .join(),
  );
  return [...byNames.values()].map((sharing) => {
    const [key] = sharing as [string];
    const defaults = (settings[key] ?? {}) as Readonly<Record<string, unknown>>;
    const rows = fieldsOf(key).map(({ name, type, documentation }) => {
      const field = name.slice(key.length + 1);
      const byDefault = JSON.stringify(defaults[field]) as string | undefined;
      return [code(field), code(type), byDefault === undefined ? "" : code(byDefault), plain(documentation)];
    });
    const title = `## Fields of ${sharing.map((each) => code(`ballast:${each}`)).join(" and ")}`;
    return `${title}\n\n${table(["field", "type", "default", "description"], rows).trimEnd()}`;
  });
}

/** Gives the settings of a stack that sets required keys only. */
function defaultSettings(keys: Keys): ReturnType<typeof parseConfig> {
  const written = ({ default: value = "required" }: Key): string =>
    typeof value === "string" ? value : JSON.stringify(value);
  const config = Object.fromEntries(Object.entries(keys).map(([name, key]) => [`ballast:${name}`, written(key)]));
  return parseConfig({ ...config, "azure-native:subscriptionId": "required" }, []);
}
