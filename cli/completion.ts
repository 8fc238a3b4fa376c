// `ballast completion bash|zsh|fish`: prints a script that completes commands, options and the values of options. The
// script holds the whole tree of commands, so that no key press starts Node. Commander has no completion of its own.
import { Argument, type Command, type Option } from "commander";
import { print, printJson } from "./terminal.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** A word that can come next, and what it is for. */
interface Word {
  readonly word: string;
  readonly about: string;
}

/** What can follow one command. */
interface Node {
  /** The command with its groups, such as `release list`; empty for `ballast` itself. */
  readonly route: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
  /** The words that an argument or the value of an option must be one of, by the option. */
  readonly choices: readonly Word[];
  readonly values: readonly { readonly flags: readonly string[]; readonly words: readonly string[] }[];
}

/** Adds the command `completion`. It must be added last, since it completes the commands that are there. */
export const addCompletion = (program: Command): Command =>
  program
    .command("completion")
    .description("print a script with which a shell completes commands, options and their values")
    .addArgument(new Argument("<shell>", "the shell that reads the script").choices(shells))
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  source <(ballast completion bash)     # in ~/.bashrc
  source <(ballast completion zsh)      # in ~/.zshrc, after compinit
  ballast completion fish | source      # in ~/.config/fish/config.fish`,
    )
    .action((shell: Shell, { json }: { readonly json?: boolean }) => {
      const script = completionScript(program, shell);
      if (json) printJson({ shell, script });
      else print(script);
    });

/** Gives the script for a shell. */
export const completionScript = (program: Command, shell: Shell): string => writers[shell](nodesOf(program, ""));

function nodesOf(command: Command, route: string): readonly Node[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command) as readonly Command[];
  const options = help.visibleOptions(command);
  const node: Node = {
    route,
    commands: commands.map((each) => ({ word: each.name(), about: each.description() })),
    options: options.flatMap((each) => flagsOf(each).map((word) => ({ word, about: each.description }))),
    choices: command.registeredArguments.flatMap((each) => each.argChoices ?? []).map((word) => ({ word, about: "" })),
    values: options.flatMap((each) => (each.argChoices ? [{ flags: flagsOf(each), words: each.argChoices }] : [])),
  };
  const children = commands.filter((each) => each.name() !== "help");
  return [node, ...children.flatMap((each) => nodesOf(each, `${route} ${each.name()}`.trim()))];
}

const flagsOf = ({ short, long }: Option): readonly string[] => [long, short].filter((flag) => flag !== undefined);

const routes = (nodes: readonly Node[]): readonly string[] => nodes.map(({ route }) => route).filter(Boolean);
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const wordsOf = (words: readonly Word[]): string => words.map(({ word }) => word).join(" ");

/** The lines of a `case` of a POSIX shell that finds which command the words before the cursor name. */
const routeLoop = (nodes: readonly Node[], words: string): readonly string[] => [
  `  local route="" word`,
  `  for word in ${words}; do`,
  `    [ "$route$word" = help ] && continue`,
  `    case "\${route:+$route }$word" in`,
  `      ${routes(nodes).map(quoted).join("|")}) route="\${route:+$route }$word" ;;`,
  `    esac`,
  `  done`,
];

/** The lines of a `case` by command and the word before the cursor, each with the words that can be there. */
const valueCase = (nodes: readonly Node[], before: string, set: (words: string) => string): readonly string[] => [
  `  case "$route ${before}" in`,
  ...nodes.flatMap(({ route, values }) =>
    values.map(
      ({ flags, words }) =>
        `    ${flags.map((flag) => quoted(`${route} ${flag}`)).join("|")}) ${set(words.join(" "))} ;;`,
    ),
  ),
  `  esac`,
];

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(
    ({ route, commands, options, choices }) =>
      `    ${quoted(route)}) words=${quoted(wordsOf([...commands, ...choices]))} ` +
      `options=${quoted(wordsOf(options))} ;;`,
  );
  return [
    "# Completes ballast in bash. Made by `ballast completion bash`.",
    "_ballast() {",
    `  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words="" options="" values=""`,
    ...routeLoop(nodes, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`),
    ...valueCase(nodes, "$before", (words) => `values=${quoted(words)}`),
    `  if [ -n "$values" ]; then`,
    `    COMPREPLY=($(compgen -W "$values" -- "$current"))`,
    `    return`,
    `  fi`,
    `  case "$route" in`,
    ...cases,
    `  esac`,
    `  case "$current" in`,
    `    -*) words="$options" ;;`,
    `  esac`,
    `  COMPREPLY=($(compgen -W "$words" -- "$current"))`,
    "}",
    "complete -o default -F _ballast ballast",
  ].join("\n");
}

function zsh(nodes: readonly Node[]): string {
  const described = (words: readonly Word[]): string =>
    words.map(({ word, about }) => quoted(`${word.replaceAll(":", "\\:")}${about ? `:${about}` : ""}`)).join(" ");
  const cases = nodes.map(
    ({ route, commands, options, choices }) =>
      `    ${quoted(route)}) entries=(${described([...commands, ...choices])}) flags=(${described(options)}) ;;`,
  );
  return [
    "#compdef ballast",
    "# Completes ballast in zsh. Made by `ballast completion zsh`.",
    "_ballast() {",
    `  local -a entries flags values`,
    ...routeLoop(nodes, `"\${(@)words[2,CURRENT-1]}"`),
    ...valueCase(nodes, "${words[CURRENT-1]}", (words) => `values=(${words})`),
    `  if (( \${#values} )); then`,
    `    compadd -a values`,
    `    return`,
    `  fi`,
    `  case "$route" in`,
    ...cases,
    `  esac`,
    `  if [[ "$PREFIX" == -* ]]; then _describe option flags; else _describe command entries; fi`,
    `  (( \${#entries} )) || _files`,
    "}",
    "compdef _ballast ballast",
  ].join("\n");
}

function fish(nodes: readonly Node[]): string {
  const said = (about: string): string => (about ? ` -d ${quoted(about)}` : "");
  const lines = nodes.flatMap(({ route, commands, options, choices, values }) => {
    const at = `complete -c ballast -n ${quoted(`__ballast_at "${route}"`)}`;
    return [
      ...[...commands, ...choices].map(({ word, about }) => `${at} -f -a ${quoted(word)}${said(about)}`),
      ...options.map(({ word, about }) => {
        const choice = values.find(({ flags }) => flags.includes(word));
        const flag = word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
        return `${at} ${flag}${choice ? ` -x -a ${quoted(choice.words.join(" "))}` : ""}${said(about)}`;
      }),
    ];
  });
  return [
    "# Completes ballast in fish. Made by `ballast completion fish`.",
    "function __ballast_at",
    `  set -l route ""`,
    `  for word in (commandline -opc)[2..-1]`,
    `    test "$route$word" = help; and continue`,
    `    contains -- (string trim "$route $word") ${routes(nodes).map(quoted).join(" ")}`,
    `    and set route (string trim "$route $word")`,
    `  end`,
    `  test "$route" = "$argv[1]"`,
    "end",
    ...lines,
  ].join("\n");
}

const writers: Readonly<Record<Shell, (nodes: readonly Node[]) => string>> = { bash, zsh, fish };
