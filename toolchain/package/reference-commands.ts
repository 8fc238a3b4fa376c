// docs/reference/commands.md: every command of `ballast` with its usage, its arguments and options, and what its help
// adds. The commands are built as cli/main.ts builds them. None is run, except for `ballast --help`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Argument, Command, type Option } from "commander";
import { loadGroups } from "../../cli/groups.ts";
import { withReachOptions } from "../../cli/reach.ts";
import { block, code, generatedFrom, plain, sentence, table } from "./markdown.ts";

const addGroups = await loadGroups();
const root = join(import.meta.dirname, "..", "..");

/** Builds the command line. It prints nothing and throws where `ballast` would exit. */
export function ballastProgram(): Command {
  const program = new Command("ballast")
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  addGroups(program, ">=20");
  return program;
}

/** Gives the page. */
export function commandsPage(): string {
  const main = join(root, "cli", "main.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "--help"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`\`ballast --help\` failed: ${stderr}`);
  const commands = ballastProgram().commands.toSorted((one, other) => (one.name() < other.name() ? -1 : 1));
  return [
    "# Commands",
    generatedFrom("the help of each command in `cli/`"),
    block("text", stdout).trimEnd(),
    ...reachSection(),
    ...commands.flatMap((command) => sections(command as Command, "ballast")),
    "",
  ].join("\n\n");
}

/** The options of every command that calls the control plane. They have one section, and no row at each command. */
const reachOptions = withReachOptions(new Command()).options;
const reachTitle = "Options of commands that call the control plane";

const reachSection = (): readonly string[] => [
  `## ${reachTitle}`,
  table(
    ["option", "default", "description"],
    reachOptions.map((option) => optionRow(new Command(), option)),
  ).trimEnd(),
];

/** Reports whether a command has all of these options, and so calls the control plane. */
const isReaching = ({ options }: Command): boolean =>
  reachOptions.every((each) =>
    options.some(({ flags, description }) => flags === each.flags && description === each.description),
  );

/** Gives the section of a command, or that of a group and those of its commands. */
function sections(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  const head = [`${"#".repeat(name.split(" ").length)} ${name}`, plain(sentence(command.description()))];
  if (command.commands.length > 0)
    return [...head, ...command.commands.flatMap((each) => sections(each as Command, name))];
  const shared = isReaching(command) ? reachOptions.map(({ flags }) => flags) : [];
  const rows = [
    ...command.registeredArguments.map((each) => argumentRow(command, each)),
    ...command.options
      .filter(({ hidden, flags }) => !hidden && !shared.includes(flags))
      .map((each) => optionRow(command, each)),
  ];
  return [
    ...head,
    block("text", command.createHelp().commandUsage(command)).trimEnd(),
    ...(rows.length > 0 ? [table(["argument or option", "default", "description"], rows).trimEnd()] : []),
    ...(shared.length > 0
      ? [`It also has the [${reachTitle.toLowerCase()}](#${reachTitle.toLowerCase().replaceAll(" ", "-")}).`]
      : []),
    ...additions(command),
  ];
}

const argumentRow = (command: Command, argument: Argument): readonly string[] => [
  code(command.createHelp().argumentTerm(argument)),
  defaultOf(argument.required, argument.defaultValue),
  describe(argument.description, argument.argChoices),
];

const optionRow = (command: Command, option: Option): readonly string[] => [
  code(command.createHelp().optionTerm(option)),
  defaultOf(option.mandatory, option.defaultValue),
  describe(option.description, option.argChoices, option.envVar),
];

/** Gives the default of an argument or option. An empty list is what an option that may be repeated begins with. */
function defaultOf(isRequired: boolean, value: unknown): string {
  if (value !== undefined && String(value) !== "") return code(JSON.stringify(value));
  return isRequired ? "*required*" : "";
}

function describe(description: string, choices: readonly string[] | undefined, variable?: string): string {
  const parts = [
    ...(description === "" ? [] : [plain(sentence(description))]),
    ...(choices === undefined ? [] : [`One of ${choices.map(code).join(", ")}.`]),
    ...(variable === undefined ? [] : [`Also read from the variable ${code(variable)}.`]),
  ];
  return parts.join(" ");
}

/** Gives what the help adds after the options: paragraphs, and blocks under a heading such as `Examples:`. */
function additions(command: Command): readonly string[] {
  const said: string[] = [];
  command.configureOutput({ writeOut: (text) => void said.push(text) }).outputHelp();
  const added = said.join("").slice(command.helpInformation().length).trim();
  const parts = added === "" ? [] : added.split(/\n\n+/);
  return parts.map((part) => {
    const [heading, ...lines] = part.split("\n") as [string, ...string[]];
    if (!/^\w+:$/.test(heading)) return plain(part);
    const text = lines.map((line) => line.replace(/^ {2}/, "")).join("\n");
    return `${heading}\n\n${block(heading.startsWith("Example") ? "sh" : "text", text).trimEnd()}`;
  });
}
