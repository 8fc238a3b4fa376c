// The pages of docs/reference/components: one for each component that the package exports, from its docstrings and its
// example, and an index with the types that they share.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Exported, Member } from "./exported-types.ts";
import { block, code, generatedFrom, plain, table } from "./markdown.ts";

const root = join(import.meta.dirname, "..", "..");
const source = "the docstrings of the sources and from `examples/`";

/** Gives the name of a component's page and of its example: `canary-app` for `CanaryApp`. */
export const folderOf = (component: string): string => component.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();

/** Gives every page by its name. */
export function componentPages(exported: readonly Exported[]): ReadonlyMap<string, string> {
  const components = exported.filter(({ kind }) => kind === "component");
  const argumentsOf = (component: Exported): Exported | undefined =>
    exported.find(({ name }) => name === `${component.name}Args`);
  const types = exported.filter(
    (each) => each.kind === "type" && !components.some((component) => argumentsOf(component) === each),
  );
  const functions = exported.filter(({ kind }) => kind === "value");
  return new Map([
    ["README.md", index(components, functions, types)],
    ...components.map((component): [string, string] => [
      `${folderOf(component.name)}.md`,
      page(component, argumentsOf(component)),
    ]),
  ]);
}

const example = (component: string, file: string): string =>
  readFileSync(join(root, "examples", folderOf(component), file), "utf8");

function index(components: readonly Exported[], functions: readonly Exported[], types: readonly Exported[]): string {
  const names = [...components, ...functions].map(({ name }) => name).join(", ");
  return [
    "# Components",
    generatedFrom(source),
    block("ts", `import { ${names} } from "ballast";`).trimEnd(),
    components
      .map(({ name, documentation }) => `- [\`${name}\`](${folderOf(name)}.md): ${plain(documentation)}`)
      .join("\n"),
    "The `Pulumi.yaml` of a program that releases names the provider that comes with the package:",
    block("yaml", example("CanaryApp", "Pulumi.yaml")).trimEnd(),
    "## Functions",
    ...functions.map(functionSection),
    "## Types",
    ...types.map(typeSection),
    "",
  ].join("\n\n");
}

function functionSection({ name, documentation }: Exported): string {
  const args = argumentsNameOf(name);
  return `### \`${name}\`\n\n${plain(documentation)} Its arguments are [\`${args}\`](#${args.toLowerCase()}).`;
}

/** Gives the name of the type of a function's arguments: `HttpAppArgs` for `httpApp`. */
const argumentsNameOf = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}Args`;

function typeSection({ name, documentation, members, type, bases = [], page: fieldsPage }: Exported): string {
  if (fieldsPage !== undefined) return `### \`${name}\`\n\n${plain(documentation)} Its fields: ${fieldsPage}.`;
  const shape = type === undefined ? tableOf("field", members) : block("ts", `type ${name} = ${type};`);
  const own = members.length === 0 && bases.length > 0 ? "" : `\n\n${shape}`;
  return `### \`${name}\`\n\n${plain(documentation)}${inherited(bases)}${own}`.trimEnd();
}

/** Where the fields are documented that a type has from others. */
const elsewhere: Readonly<Record<string, string>> = {
  ContainerAppArgs: "https://www.pulumi.com/registry/packages/azure-native/api-docs/app/containerapp/#inputs",
  "pulumi.ComponentResourceOptions": "https://www.pulumi.com/docs/iac/concepts/resources/options/",
  "pulumi.CustomResourceOptions": "https://www.pulumi.com/docs/iac/concepts/resources/options/",
};

/** Says what a type has from others, and where that is documented. */
function inherited(bases: readonly string[]): string {
  if (bases.length === 0) return "";
  const named = bases.map((base) => (elsewhere[base] ? `[\`${base}\`](${elsewhere[base]})` : code(base)));
  return `\n\nIt has every field of ${named.join(" and ")}.`;
}

const page = ({ name, documentation, members }: Exported, args: Exported | undefined): string =>
  [
    `# ${name}`,
    plain(documentation),
    generatedFrom(source),
    "## Example",
    block("ts", example(name, "index.ts")).trimEnd(),
    "## Arguments",
    ...(args?.bases ? [`${plain(args.documentation)}${inherited(args.bases)}`] : []),
    tableOf("argument", args?.members ?? []).trimEnd(),
    "## Outputs",
    tableOf("output", members),
  ].join("\n\n");

function tableOf(head: "argument" | "field" | "output", members: readonly Member[]): string {
  const hasDefaults = head !== "output";
  return table(
    [head, "type", ...(hasDefaults ? ["default"] : []), "description"],
    members.map((member) => [
      code(member.name),
      /^an? /.test(member.type) ? member.type : code(member.type),
      ...(hasDefaults ? [defaultOf(member)] : []),
      plain(member.documentation),
    ]),
  );
}

/** Gives the default: a value as code, anything else in the words of its docstring. */
function defaultOf({ optional, byDefault }: Member): string {
  if (byDefault === undefined) return optional ? "" : "*required*";
  return /^["[{\d]|^(true|false)$/.test(byDefault) ? code(byDefault) : plain(byDefault);
}
