// What `ballast workflows init` does: it finds the stacks of a Pulumi project, writes the callers, and names what only
// the owner can set. It calls nobody.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { isMap, parseDocument } from "yaml";
import { type Environment, environmentOf } from "../../analysis/systems/pulumi/names.ts";
import { unixLines } from "../../client/github/published.ts";
import { callers } from "../../components/workflows/callers.ts";
import {
  type DeliveredStack,
  type Delivery,
  type NeededValue,
  neededValues,
  stacksThatShare,
} from "../../components/workflows/delivery.ts";
import { many } from "../../engines/wording.ts";
import { workflowsFileExists, workflowsProjectMissing, workflowsRootElsewhere } from "../../errors/workflows.ts";
import { print, printJson } from "../terminal.ts";
import { mainBranchOf } from "./main-branch.ts";
import { isTakenByAnother } from "./other-callers.ts";
import { lacksOf, type ProgramFiles, programIn, secretsIn } from "./program-files.ts";

export interface InitOptions {
  readonly program: string;
  readonly source: { readonly repository: string; readonly commit: string };
  readonly tag?: string;
  readonly branch?: string;
  readonly stack?: readonly string[];
  readonly overwrite?: boolean;
  readonly skip?: readonly string[];
  readonly print?: boolean;
  readonly json?: boolean;
}

/** Runs the command. @throws workflows-root-elsewhere, workflows-project-missing, workflows-file-exists */
export function runInit(folder: string, options: InitOptions): void {
  const root = resolve(folder);
  const project = resolve(root, options.program);
  refuseBelowRoot(root, project);
  if (!existsSync(join(project, "Pulumi.yaml")))
    throw workflowsProjectMissing({ folder: project, reason: "it has no Pulumi.yaml" });
  const program = programIn(project);
  const branch = mainBranchOf(root, options.branch);
  const delivery = deliveryOf(root, program, branch.name, options);
  const skipped = new Set(options.skip);
  const isSkipped = (name: string): boolean => [...skipped].some((each) => name === each || name.endsWith(`-${each}`));
  const files = new Map([...callers(delivery)].filter(([name]) => !isSkipped(name)));
  const written = options.print ? new Set<string>() : writeAll(root, files, options.overwrite ?? false);
  const toSet = neededValues(delivery);
  const lacks = lacksOf(program, delivery.stacks);
  const stacks = delivery.stacks.map(({ name }) => name);
  if (options.json)
    return printJson({ stacks, branch: branch.name, files: Object.fromEntries(files), toSet, beforeFirstRun: lacks });
  if (options.print) return print([...files].map(([name, text]) => `# ${pathOf(name)}\n${text}`).join("\n"));
  print(
    [
      ...[...files.keys()].map((name) => `${written.has(name) ? "wrote" : "unchanged"} ${pathOf(name)}`),
      ...(delivery.project ? [`Another project has the plain names, so files and jobs begin with its name.`] : []),
      `Stacks, in the order of their updates: ${stacks.join(", ")}.`,
      `Branch that is deployed: ${branch.name} (${branch.source}).`,
      ...linesAbout(toSet),
      ...linesAboutEnvironments(stacks, branch.name),
      ...(lacks.length > 0 ? ["Before the first run:", ...lacks.map((each) => `  ${each}`)] : []),
    ].join("\n"),
  );
}

function deliveryOf(root: string, program: ProgramFiles, branch: string, options: InitOptions): Delivery {
  const within = relative(root, program.folder).replaceAll("\\", "/");
  const folder = within === "" ? "." : within;
  const { repository, commit } = options.source;
  return {
    stacks: stacksIn(program, options.stack),
    folder,
    branch,
    project: isTakenByAnother(join(root, ".github", "workflows"), folder) ? program.name : undefined,
    source: repository,
    commit,
    version: options.tag,
    has: thingsIn(program.folder),
  };
}

/** GitHub's two forms of a subject. */
const subjectForms = (end: string): readonly string[] => [
  `repo:<owner>/<name>:${end}`,
  `repo:<owner>@<owner id>/<name>@<id>:${end}`,
];

/** The command looks at no repository on GitHub, so it cannot say which of them are set. */
const linesAbout = (toSet: readonly NeededValue[]): readonly string[] => [
  `You must set ${many(toSet.length, "value")} of the repository:`,
  ...toSet.flatMap(({ name, kind, what, subjects }) => [
    `  ${name}  ${what}`,
    `    gh ${kind} set ${name}${kind === "variable" ? " --body <id>" : ""}`,
    ...subjects.flatMap(subjectForms).map((subject) => `    it must trust the subject ${subject}`),
  ]),
  "  A token has the second form of a subject if the repository was made or renamed since 2026-07-15.",
];

/** Without it, a run of any branch gets the rights of the environment that it names. */
const linesAboutEnvironments = (stacks: readonly string[], branch: string): readonly string[] => [
  `Allow only ${branch} to deploy to ${stacks.join(" and ")}, before you set reviewers:`,
  ...stacks.flatMap((name) => {
    const path = `repos/{owner}/{repo}/environments/${name}`;
    const policy = "deployment_branch_policy";
    return [
      `  gh api -X PUT '${path}' -F '${policy}[protected_branches]=false' -F '${policy}[custom_branch_policies]=true'`,
      `  gh api -X POST '${path}/deployment-branch-policies' -f 'name=${branch}'`,
    ];
  }),
];

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

/**
 * Writes all files or, where one cannot be written, none.
 *
 * @returns the names of those that were not there with this text already
 * @throws workflows-file-exists
 */
function writeAll(root: string, files: ReadonlyMap<string, string>, mayOverwrite: boolean): ReadonlySet<string> {
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
  return new Set(due.map(([name]) => name));
}

const order: readonly (Environment | undefined)[] = ["development", "test", undefined, "staging", "production"];

/** Gives the named stacks, or all that a project has files of, production last. @throws workflows-project-missing */
function stacksIn(program: ProgramFiles, named: readonly string[] | undefined): readonly DeliveredStack[] {
  const { folder: project } = program;
  const found = readdirSync(project).flatMap((name) => /^Pulumi\.([\w.-]+)\.yaml$/.exec(name)?.[1] ?? []);
  const unknown = (named ?? []).filter((name) => !found.includes(name));
  if (unknown.length > 0)
    throw workflowsProjectMissing({ folder: project, reason: `it has no Pulumi.${unknown[0]}.yaml` });
  const rankOf = ({ name }: DeliveredStack): number => order.indexOf(environmentOf(name));
  const stacks = [...new Set(named ?? found)].map((name) => stackIn(program, name));
  const delivered = named
    ? stacks
    : stacks
        .filter(({ isLocal }) => !isLocal)
        .toSorted((one, other) => rankOf(one) - rankOf(other) || (one.name < other.name ? -1 : 1));
  refuseAlike(project, delivered);
  if (delivered.length > 0) return delivered;
  throw workflowsProjectMissing({ folder: project, reason: "it has no file Pulumi.<stack>.yaml for a stack on Azure" });
}

/** Stacks of one variable would share an identity; if only letter case differs, an environment of GitHub as well. */
function refuseAlike(project: string, stacks: readonly DeliveredStack[]): void {
  const shared = stacksThatShare(stacks);
  if (shared === undefined) return;
  const { one, other, variable } = shared;
  const why =
    one.toLowerCase() === other.toLowerCase()
      ? "have one name for GitHub, which ignores letter case"
      : `would share the variable ${variable}, whose name has letters, digits and _ only`;
  throw workflowsProjectMissing({
    folder: project,
    reason: `its stacks ${one} and ${other} ${why}; choose by --stack`,
  });
}

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads what a stack's file says about Azure. The emulator's own stack is not delivered. */
function stackIn(program: ProgramFiles, name: string): DeliveredStack & { readonly isLocal: boolean } {
  const file = readFileSync(join(program.folder, `Pulumi.${name}.yaml`), "utf8");
  const document = parseDocument(file);
  const config = document.get("config");
  const valueOf = (key: string): string | undefined => {
    const value = isMap(config) ? config.get(key) : undefined;
    return typeof value === "string" && id.test(value) ? value : undefined;
  };
  return {
    name,
    tenantId: valueOf("azure-native:tenantId") ?? valueOf("ballast:tenant"),
    subscriptionId: valueOf("azure-native:subscriptionId"),
    secrets: secretsIn(program, file),
    isLocal: name === "local" || (isMap(config) && config.get("ballast:emulator") === true),
  };
}
