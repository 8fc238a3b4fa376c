// Reads a Pulumi project: the stacks that it has a settings file for, and its resources if the program is YAML. A
// program in another language is not run; its resources are known from a state, a preview, or inside the policy pack.
import { isScalar, type ParsedNode } from "yaml";
import { structural, type Text } from "../../place.ts";
import { keyOf, type YamlFile } from "../../yaml-file.ts";
import type { Declared, DeclaredStack, Setting } from "./nodes.ts";
import { namesIn, type Places, type Read, readValue, type Scope } from "./program-values.ts";
import { unknown } from "./value.ts";
import { sealed, valueOf } from "./wire-values.ts";

type Node = ParsedNode | null | undefined;

/** Gives the project's name. */
export const projectOf = (yaml: YamlFile): string => yaml.text(yaml.get(yaml.root, "name"))?.text ?? "";

/** Whether a project file holds its program. */
export function isYamlProgram(yaml: YamlFile): boolean {
  const runtime = yaml.get(yaml.root, "runtime");
  const name = yaml.text(runtime) ?? yaml.text(yaml.get(runtime, "name"));
  return name?.text === "yaml" && yaml.pairs(yaml.get(yaml.root, "resources")).length > 0;
}

/** Reads the program of a project file as a stack without a name, because it may be deployed to any. */
export function readProgram(file: string, yaml: YamlFile): DeclaredStack {
  const project = projectOf(yaml);
  const pairs = yaml.pairs(yaml.get(yaml.root, "resources"));
  const typeOf = (node: Node): string => yaml.text(yaml.get(node, "type"))?.text ?? "";
  const urns = new Map<string, string>();
  for (const pair of pairs) {
    const key = keyOf(pair);
    const logical = yaml.text(yaml.get(pair.value, "name"))?.text ?? key;
    const parent = parentOf(yaml, pair.value);
    const above = pairs.find((each) => keyOf(each) === parent)?.value;
    const path = above ? `${typeOf(above)}$${typeOf(pair.value)}` : typeOf(pair.value);
    urns.set(key, `urn:pulumi:::${project}::${path}::${logical}`);
  }
  const scope: Scope = { yaml, urns, values: valuesOf(yaml, urns) };
  return {
    name: "",
    project,
    file,
    origin: "program",
    evidence: structural(yaml.place(yaml.root)),
    resources: pairs
      .filter(({ value }) => yaml.isMap(value))
      .map((pair): Declared => {
        const urn = urns.get(keyOf(pair))!;
        return { ...bodyOf(scope, pair.value), urn, evidence: structural(yaml.pairPlace(pair)) };
      }),
  };
}

const parentOf = (yaml: YamlFile, node: Node): string | undefined =>
  namesIn(yaml.text(yaml.get(yaml.get(node, "options"), "parent"))?.text ?? "")[0];

function bodyOf(scope: Scope, node: Node): Omit<Declared, "urn" | "evidence"> {
  const { yaml, urns } = scope;
  const options = yaml.get(node, "options");
  const places: Places = {};
  const propertyDependencies: Record<string, readonly string[]> = {};
  const inputs = Object.fromEntries(
    yaml.pairs(yaml.get(node, "properties")).map((pair) => {
      const key = keyOf(pair);
      places[key] = yaml.pairPlace(pair);
      const { value, from } = readValue(scope, pair.value, key, places);
      if (from.length > 0) propertyDependencies[key] = [...new Set(from)];
      return [key, value];
    }),
  );
  const dependsOn = yaml.texts(yaml.get(options, "dependsOn")).flatMap(({ text }) => namesIn(text));
  const parent = parentOf(yaml, node);
  const token = yaml.text(yaml.get(node, "type"))?.text ?? "";
  return {
    token,
    isCustom: true,
    parent: parent === undefined ? undefined : urns.get(parent),
    dependencies: [
      ...new Set([...Object.values(propertyDependencies).flat(), ...dependsOn.flatMap((name) => urns.get(name) ?? [])]),
    ],
    propertyDependencies,
    ignoreChanges: yaml.texts(yaml.get(options, "ignoreChanges")).map(({ text }) => text),
    inputs,
    places,
  };
}

/** Looks up configuration with a default, and variables. Everything else is unknown. */
function valuesOf(yaml: YamlFile, urns: ReadonlyMap<string, string>): Scope["values"] {
  const config = [yaml.get(yaml.root, "config"), yaml.get(yaml.root, "configuration")];
  const variables = yaml.get(yaml.root, "variables");
  const values: Scope["values"] = (name, depth) => {
    const key = config.map((section) => yaml.get(section, name)).find((each) => each !== undefined);
    if (key !== undefined) return configured(yaml, key);
    const variable = yaml.get(variables, name);
    if (variable === undefined || depth > 20) return undefined;
    return readValue({ yaml, urns, values }, variable, "", {}, depth + 1);
  };
  return values;
}

function configured(yaml: YamlFile, node: Node): Read {
  const given = yaml.isMap(node) ? (yaml.get(node, "default") ?? yaml.get(node, "value")) : node;
  const scalar = yaml.resolve(given);
  const value = isScalar(scalar) ? valueOf(scalar.value) : unknown;
  const isSecret = yaml.text(yaml.get(node, "secret"))?.text === "true";
  return { value: isSecret ? sealed(value === unknown ? "" : value) : value, from: [] };
}

/** Reads the settings of a stack. @returns undefined if the file has none */
export function readSettings(file: string, yaml: YamlFile, stack: string, project: string): DeclaredStack | undefined {
  const pairs = yaml.pairs(yaml.get(yaml.root, "config"));
  if (pairs.length === 0) return undefined;
  const settings = pairs.map((pair): Setting => {
    const isSecret = holdsSecret(yaml, pair.value);
    const texts: readonly Text[] = isSecret ? [] : yaml.scalars(pair.value);
    return { key: keyOf(pair), place: yaml.pairPlace(pair), isSecret, texts: () => texts };
  });
  return {
    name: stack,
    project,
    file,
    origin: "settings",
    evidence: structural(yaml.place(yaml.root)),
    settings,
    resources: [],
  };
}

/** An encrypted value is a mapping with the one key `secure`, at any depth. */
function holdsSecret(yaml: YamlFile, node: Node): boolean {
  const pairs = yaml.pairs(node);
  return pairs.some((pair) => keyOf(pair) === "secure" || holdsSecret(yaml, pair.value));
}
