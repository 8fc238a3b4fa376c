// `npm run docs:api`: writes docs/reference/components from the docstrings of what the package exports and from the examples, a page a component.
// `pages` gives what it would write, by which a test knows whether the pages are up to date. What the words say is their authors' affair.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Exported, exportedTypes, type Member } from "./exported-types.ts";

const root = join(import.meta.dirname, "..", "..");

/** Gives the name of a component's page and of its example: `CanaryApp` has `canary-app`. */
export const folderOf = (component: string): string => component.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();

/** Gives every page by its name. */
export function pages(exported: readonly Exported[]): ReadonlyMap<string, string> {
  const components = exported.filter(({ kind }) => kind === "component");
  const argumentsOf = (component: Exported): Exported | undefined =>
    exported.find(({ name }) => name === `${component.name}Args`);
  const types = exported.filter(
    (each) => each.kind === "type" && !components.some((component) => argumentsOf(component) === each),
  );
  return new Map([
    ["README.md", index(components, types)],
    ...components.map((component): [string, string] => [
      `${folderOf(component.name)}.md`,
      page(component, argumentsOf(component)),
    ]),
  ]);
}

const code = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;
const example = (component: string, file: string): string =>
  readFileSync(join(root, "examples", folderOf(component), file), "utf8");
const written = "Written by `npm run docs:api` from the docstrings in the sources; changes belong there.";

function index(components: readonly Exported[], types: readonly Exported[]): string {
  const list = components
    .map(({ name, documentation }) => `- [\`${name}\`](${folderOf(name)}.md): ${documentation}`)
    .join("\n");
  const shapes = types
    .map(
      ({ name, documentation, members, type }) =>
        `### \`${name}\`\n\n${documentation}\n\n${type === undefined ? table(["field", "type", "default"], members) : code("ts", `type ${name} = ${type};`)}`,
    )
    .join("\n");
  const names = code("ts", `import { ${components.map(({ name }) => name).join(", ")} } from "ballast";`);
  const project = `A program that releases names the provider that lies in the package, in its \`Pulumi.yaml\`:\n\n${code("yaml", example("CanaryApp", "Pulumi.yaml"))}`;
  return `# What the package exports\n\n${written}\n\n${names}\n${list}\n\n${project}\n## Types\n\n${shapes}`;
}

function page({ name, documentation, members }: Exported, args: Exported | undefined): string {
  return `# ${name}\n\n${documentation}\n\n${written}\n\n## Example\n\n${code("ts", example(name, "index.ts"))}\n## Arguments\n\n${table(["argument", "type", "default"], args?.members ?? [])}\n## Outputs\n\n${table(["output", "type"], members)}`;
}

function table(
  heads: readonly ["argument" | "field", "type", "default"] | readonly ["output", "type"],
  members: readonly Member[],
): string {
  const word = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;
  const type = (text: string): string => (/^an? /.test(text) ? text : word(text));
  const byDefault = ({ optional, byDefault: said }: Member): string =>
    said !== undefined ? (/^["[{\d]|^(true|false)$/.test(said) ? word(said) : said) : optional ? "" : "*required*";
  const rows = members.map((member) => [
    word(member.name),
    type(member.type),
    ...(heads.length === 3 ? [byDefault(member)] : []),
    member.documentation.replaceAll("|", "\\|"),
  ]);
  return [[...heads, "what it is"], [...heads, ""].map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("");
}

function main(): void {
  const folder = join(root, "docs", "reference", "components");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, text] of pages(exportedTypes(root))) writeFileSync(join(folder, name), text);
}

if (import.meta.main) main();
