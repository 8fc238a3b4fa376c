// What `ballast workflows init` does: it finds the stacks of a Pulumi project, writes the callers, and names the
// values that only the owner knows. It calls nobody.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { isMap, parseDocument } from "yaml";
import { type Environment, environmentOf } from "../../analysis/systems/pulumi/names.ts";
import { unixLines } from "../../client/github/published.ts";
import { callers, type DeliveredStack, type Delivery, missingValues } from "../../components/workflows/callers.ts";
import { many } from "../../engines/wording.ts";
import { workflowsFileExists, workflowsProjectMissing, workflowsRootElsewhere } from "../../errors/workflows.ts";
import { print, printJson } from "../terminal.ts";

export interface InitOptions {
  readonly program: string;
  readonly source: { readonly repository: string; readonly commit: string };
  readonly stack?: readonly string[];
  readonly overwrite?: boolean;
  readonly skip?: readonly string[];
  readonly print?: boolean;
  readonly json?: boolean;
}

/** Runs the command. @throws workflows-root-elsewhere, workflows-project-missing, workflows-file-exists */
export function runInit(folder: string, options: InitOptions, version: string): void {
  const root = resolve(folder);
  const project = resolve(root, options.program);
  refuseBelowRoot(root, project);
  const { repository, commit } = options.source;
  const within = relative(root, project).replaceAll("\\", "/");
  const delivery: Delivery = {
    stacks: stacksIn(project, options.stack),
    folder: within === "" ? "." : within,
    source: repository,
    commit,
    version: `v${version}`,
    has: thingsIn(project),
  };
  const skipped = new Set(options.skip);
  const files = new Map([...callers(delivery)].filter(([name]) => !skipped.has(name)));
  if (!options.print) writeAll(root, files, options.overwrite ?? false);
  const missing = missingValues(delivery).map(({ variable, what, subjects }) => ({
    variable,
    what,
    subjects: subjects?.(delivery.stacks) ?? [],
  }));
  const stacks = delivery.stacks.map(({ name }) => name);
  if (options.json) return printJson({ stacks, files: Object.fromEntries(files), missing });
  if (options.print) return print([...files].map(([name, text]) => `# ${pathOf(name)}\n${text}`).join("\n"));
  print(
    [
      ...[...files.keys()].map((name) => `wrote ${pathOf(name)}`),
      `Stacks, in the order of their updates: ${stacks.join(", ")}.`,
      `Missing: ${many(missing.length, "variable")} of the repository.`,
      ...missing.flatMap(({ variable, what, subjects }) => [
        `  ${variable}  ${what}`,
        ...subjects.map((subject) => `    it must trust the subject repo:<owner>/<name>:${subject}`),
      ]),
    ].join("\n"),
  );
}

/** How deep a program is looked through. Packages and hidden folders are left out. */
const depthMax = 4;
const programs = /\.(ts|js|mjs|py|go|cs|java|ya?ml)$/;

/** Finds what a project has beside apps: credentials by their resource, migrations by the names of their files. */
function thingsIn(project: string): NonNullable<Delivery["has"]> {
  const files = filesIn(project, depthMax);
  const hasCredential = (path: string): boolean =>
    programs.test(path) && /\b(Database|Storage|Webhook)Credential\b/.test(readFileSync(path, "utf8"));
  return [
    ...(files.some(hasCredential) ? (["credentials"] as const) : []),
    ...(files.some((path) => /\.(expand|contract)\.sql$/.test(path)) ? (["migrations"] as const) : []),
  ];
}

const filesIn = (folder: string, depth: number): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return [path];
    const isOwn = entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".");
    return isOwn && depth > 1 ? filesIn(path, depth - 1) : [];
  });

const pathOf = (name: string): string => `.github/workflows/${name}`;

/** Below the root of a repository GitHub would never look. A folder that is in none may become one. */
function refuseBelowRoot(folder: string, project: string): void {
  for (let root = folder; root !== dirname(root); root = dirname(root)) {
    if (!existsSync(join(root, ".git"))) continue;
    if (root !== folder) throw workflowsRootElsewhere({ folder, root, program: relative(root, project) });
    return;
  }
}

/** What a file is for, as its first line says. */
const purposeOf = (text: string): string => text.slice(2, text.indexOf("\n")).replace(/\.$/, "");

/** Writes all files or, where one cannot be written, none. @throws workflows-file-exists */
function writeAll(root: string, files: ReadonlyMap<string, string>, mayOverwrite: boolean): void {
  const isThere = (name: string): boolean => existsSync(join(root, pathOf(name)));
  const isFile = (name: string): boolean => statSync(join(root, pathOf(name))).isFile();
  const isSame = (name: string, text: string): boolean =>
    isThere(name) && isFile(name) && unixLines(readFileSync(join(root, pathOf(name)), "utf8")) === text;
  const due = [...files].filter(([name, text]) => !isSame(name, text));
  const differing = due.filter(([name]) => isThere(name));
  if (differing.length > 0 && !(mayOverwrite && differing.every(([name]) => isFile(name))))
    throw workflowsFileExists({
      files: differing.map(([name, text]) => ({ path: pathOf(name), purpose: purposeOf(text) })),
    });
  mkdirSync(join(root, ".github", "workflows"), { recursive: true });
  const written = due.map(([name, text]) => ({ path: join(root, pathOf(name)), text }));
  const besides = ({ path }: { readonly path: string }): string => `${path}.new`;
  try {
    for (const each of written) writeFileSync(besides(each), each.text);
    for (const each of written) renameSync(besides(each), each.path);
  } finally {
    for (const each of written) rmSync(besides(each), { force: true });
  }
}

const order: readonly (Environment | undefined)[] = ["development", "test", undefined, "staging", "production"];

/** Gives the named stacks, or all that a project has files of, production last. @throws workflows-project-missing */
function stacksIn(project: string, named: readonly string[] | undefined): readonly DeliveredStack[] {
  if (!existsSync(join(project, "Pulumi.yaml")))
    throw workflowsProjectMissing({ folder: project, reason: "it has no Pulumi.yaml" });
  const found = readdirSync(project).flatMap((name) => /^Pulumi\.([\w.-]+)\.yaml$/.exec(name)?.[1] ?? []);
  const unknown = (named ?? []).filter((name) => !found.includes(name));
  if (unknown.length > 0)
    throw workflowsProjectMissing({ folder: project, reason: `it has no Pulumi.${unknown[0]}.yaml` });
  const rankOf = ({ name }: DeliveredStack): number => order.indexOf(environmentOf(name));
  const stacks = [...new Set(named ?? found)].map((name) => stackIn(project, name));
  const delivered = named
    ? stacks
    : stacks
        .filter(({ isLocal }) => !isLocal)
        .toSorted((one, other) => rankOf(one) - rankOf(other) || (one.name < other.name ? -1 : 1));
  refuseAlike(project, delivered);
  if (delivered.length > 0) return delivered;
  throw workflowsProjectMissing({ folder: project, reason: "it has no file Pulumi.<stack>.yaml for a stack on Azure" });
}

/** GitHub compares names of environments and conditions without their letter case: both stacks would be taken back. */
function refuseAlike(project: string, stacks: readonly DeliveredStack[]): void {
  const lower = stacks.map(({ name }) => name.toLowerCase());
  const at = lower.findIndex((name, index) => lower.indexOf(name) < index);
  if (at < 0) return;
  const [one, other] = [stacks[lower.indexOf(lower[at]!)]!.name, stacks[at]!.name];
  throw workflowsProjectMissing({
    folder: project,
    reason: `its stacks ${one} and ${other} have one name for GitHub, which ignores letter case; choose by --stack`,
  });
}

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads what a stack's file says about Azure. The emulator's own stack is not delivered. */
function stackIn(project: string, name: string): DeliveredStack & { readonly isLocal: boolean } {
  const document = parseDocument(readFileSync(join(project, `Pulumi.${name}.yaml`), "utf8"));
  const config = document.get("config");
  const valueOf = (key: string): string | undefined => {
    const value = isMap(config) ? config.get(key) : undefined;
    return typeof value === "string" && id.test(value) ? value : undefined;
  };
  return {
    name,
    tenantId: valueOf("azure-native:tenantId") ?? valueOf("ballast:tenant"),
    subscriptionId: valueOf("azure-native:subscriptionId"),
    isLocal: name === "local" || (isMap(config) && config.get("ballast:emulator") === true),
  };
}
