// Commands whose failure a script swallows: the script is followed with that one command failing, and it ends well on
// every path. Where it does something about the failure, such as going back, the failure is not swallowed.
import { isListing, type Worded, withoutPrefix } from "./shell.ts";
import type { ShellOptions } from "./shell-run.ts";
import { canFail } from "./shell-run.ts";
import type { Word } from "./shell-tokens.ts";
import { type CommandTree, commandsOf, type ShellTree, treeOf } from "./shell-tree.ts";

/** A command whose failure is not heard. */
export interface SwallowedCommand {
  /** The line of the script, from 0. */
  readonly line: number;
  readonly words: readonly string[];
  /** How it is swallowed, as the end of a sentence that begins with the command. */
  readonly how: string;
}

/** Gives the commands of a script that are asked about and whose failure it swallows. */
export function swallowedCommands(
  script: string,
  options: ShellOptions,
  isAsked: (command: Worded) => boolean,
  isPassedOn: (command: CommandTree) => boolean,
): readonly SwallowedCommand[] {
  const tree = treeOf(script);
  if (tree === undefined) return [];
  return commandsOf(tree).flatMap((command) => {
    const words = wordsOf(command);
    if (!isAsked({ words })) return [];
    const influence = new Marks(tree, command);
    const isTold = commandsOf(tree).some((each) => influence.reaches(each) && isPassedOn(each));
    if (isTold || isReacted(tree, command, influence)) return [];
    const failing = isInverted(tree, command) ? "good" : "bad";
    const answer = (each: CommandTree, isCondition: boolean) => {
      if (each === command) return failing;
      if (isQuiet({ words: wordsOf(each) })) return "good";
      return isCondition || influence.reaches(each) ? "either" : "good";
    };
    const isApart = (part: ShellTree): boolean =>
      !influence.endsEarly && !commandsOf(part).some((each) => each === command || influence.reaches(each));
    const heard = canFail(tree, { options, answer, isApart, isAsked: (each) => each === command });
    return heard === false ? [{ line: command.line, words, how: howOf(tree, command, options) }] : [];
  });
}

/** Gives the words of a command without what stands before it. */
export const wordsOf = ({ words }: CommandTree): readonly string[] => withoutPrefix(words.map(({ text }) => text));

const quietNames =
  "echo printf sleep cat ls pwd date cd mkdir cp mv rm touch tee head tail sed tr cut sort uniq wc jq yq column tput " +
  "pushd popd shift chmod which env uname id basename dirname xargs seq logger true : export source";
const quiet = new Set(quietNames.split(" "));
const telling =
  /^(curl|wget|gh|aws sns|mail|sendmail) .*(slack|discord|teams|webhook|telegram|pagerduty|notif|comment|sns)/i;

/** Whether a command does nothing about what was found: it prints, waits, lists or tells people. */
export const isQuiet = (command: Worded): boolean =>
  (quiet.has(command.words[0] ?? "") && !/^(jq|yq) (.* )?-\w*e/.test(command.words.join(" "))) ||
  isListing(command) ||
  tellsPeople(command);

/** Whether a command sends a message to people. */
export const tellsPeople = ({ words }: Worded): boolean => telling.test(words.join(" "));

/** Whether a command should fail: it stands behind a `!` that decides nothing. */
const isInverted = (tree: ShellTree, command: CommandTree): boolean => {
  const path = pathTo(tree, command) ?? [];
  const decides = path.some((part) => commandsIn(conditionOf(part)).includes(command));
  return !decides && path.some((part) => part.is === "pipe" && part.isNegated);
};

const commandsIn = (tree: ShellTree | undefined): readonly CommandTree[] =>
  tree === undefined ? [] : commandsOf(tree);

/** What a command has an influence on: the variables, files and pipes that carry what it found. */
interface Influence {
  readonly reaches: (command: CommandTree) => boolean;
  /** Whether what stands behind it may be reached only after it failed, because a success ends the script. */
  readonly endsEarly: boolean;
}

class Marks implements Influence {
  readonly #command: CommandTree;
  readonly #names = new Set<string>();
  readonly #beside = new Set<CommandTree>();
  readonly #files: string[];
  endsEarly = false;

  constructor(tree: ShellTree, command: CommandTree) {
    this.#command = command;
    this.#files = [...filesOf(command)];
    // What is carried on by a loop, or from one variable to the next, is found when it is looked for again.
    for (let round = 0; round < 3; round += 1) this.#mark(tree, false);
  }

  reaches = (each: CommandTree): boolean => each !== this.#command && (this.#beside.has(each) || this.#isReading(each));
  #isMarked = (each: CommandTree): boolean => each === this.#command || this.reaches(each);

  #isReading({ words, redirected }: CommandTree): boolean {
    return [...words, ...redirected].some(
      ({ text }) =>
        text.includes("$?") || readsAny(text, this.#names) || this.#files.some((file) => text.includes(file)),
    );
  }

  #mark(part: ShellTree, isUnder: boolean): void {
    const all = commandsOf(part);
    if (part.is === "command") this.#markNames(part, isUnder);
    const isLoopAround = isLoop(part) && all.includes(this.#command);
    if (isLoopAround && part.is === "for") this.#names.add(part.name);
    const isPiped = part.is === "pipe" && all.some(this.#isMarked);
    if (isPiped) this.#files.push(...all.flatMap(filesOf));
    if (isPiped || isLoopAround) for (const each of all) this.#beside.add(each);
    const decides = conditionOf(part);
    const isDecided = commandsIn(decides).some(this.#isMarked);
    const others = partsOf(part).filter((each) => each !== decides);
    if (isDecided && others.flatMap(commandsOf).some(isExit)) this.endsEarly = true;
    if (decides) this.#mark(decides, isUnder || isLoopAround);
    for (const each of others) this.#mark(each, isUnder || isLoopAround || isDecided);
  }

  /** Marks the variables that a command sets, if what was found decides whether or to what. */
  #markNames({ inner, assigned, words }: CommandTree, isUnder: boolean): void {
    const isCarried = isUnder || inner.flatMap(commandsOf).some(this.#isMarked);
    for (const { text } of [...assigned, ...words.filter(isAssignment)])
      if (isCarried || text.includes("$?") || readsAny(text, this.#names)) this.#names.add(/^\w+/.exec(text)![0]);
  }
}

const isAssignment = ({ text }: Word): boolean => /^\w+=/.test(text);
const isLoop = ({ is }: ShellTree): boolean => is === "for" || is === "while" || is === "until";
const isExit = ({ words }: CommandTree): boolean => /^(exit|return)$/.test(words[0]?.text ?? "");

/** Gives the part whose answer decides whether the others run. */
function conditionOf(tree: ShellTree): ShellTree | undefined {
  if (tree.is === "if" || tree.is === "while" || tree.is === "until") return tree.condition;
  return tree.is === "and" || tree.is === "or" ? tree.left : undefined;
}

const readsAny = (text: string, names: ReadonlySet<string>): boolean =>
  [...text.matchAll(/\$\{?[#!]?(\w+)/g)].some(([, name]) => names.has(name!));

/** The files that a command names or writes. */
const filesOf = ({ words, redirected }: CommandTree): readonly string[] =>
  [...words, ...redirected].flatMap(({ text }) => {
    const name = text.replace(/^\d*[<>&|]+/, "");
    return /(?:^|=)([\w./-]*\w\.(?:json|xml|txt|log|sarif|out|html|csv|tap))$/.exec(name)?.[1] ?? [];
  });

/** Whether the script does something that depends on the failure, other than printing. */
function isReacted(tree: ShellTree, command: CommandTree, { reaches }: Influence): boolean {
  const depends = (condition: ShellTree): boolean =>
    commandsOf(condition).some((each) => each === command || reaches(each));
  const acts = (branch: ShellTree | undefined): boolean =>
    branch !== undefined && commandsOf(branch).some((each) => each !== command && !isHarmless(each));
  const walk = (each: ShellTree): boolean => {
    if (each.is === "if" && depends(each.condition) && (acts(each.then) || acts(each.otherwise))) return true;
    if ((each.is === "and" || each.is === "or") && depends(each.left) && acts(each.right)) return true;
    return partsOf(each).some(walk);
  };
  return walk(tree);
}

const control = /^(exit|return|break|continue|set|test|\[|\[\[|\(\(.*|local|declare|readonly|unset|kill|wait)$/;

function isHarmless(command: CommandTree): boolean {
  const words = wordsOf(command);
  const isTelling = command.redirected.some(({ text }) => /GITHUB_(OUTPUT|ENV)/.test(text));
  return !isTelling && (words.length === 0 || control.test(words[0]!) || isQuiet({ words }));
}

function partsOf(tree: ShellTree): readonly ShellTree[] {
  switch (tree.is) {
    case "command":
      return tree.inner;
    case "and":
    case "or":
      return [tree.left, tree.right];
    case "background":
    case "subshell":
      return [tree.of];
    case "if":
      return [tree.condition, tree.then, ...(tree.otherwise ? [tree.otherwise] : [])];
    case "while":
    case "until":
      return [tree.condition, tree.body];
    case "for":
    case "function":
      return [tree.body];
    default:
      return tree.of;
  }
}

/** Says how a command is swallowed, by the nearest construct that takes its answer. */
function howOf(tree: ShellTree, command: CommandTree, { stopsOnFailure }: ShellOptions): string {
  const path = pathTo(tree, command) ?? [];
  for (const [at, part] of path.entries()) {
    const inner = path[at - 1] ?? command;
    const how = takes(part, inner);
    if (how !== undefined) return how;
  }
  const loses = path.some(isLoop);
  if (loses) return "is tried in a loop that succeeds also if every attempt failed";
  return stopsOnFailure
    ? 'stands after "set +e" and is not the last command'
    : "is not the last command, and the shell goes on after a failure";
}

function takes(part: ShellTree, inner: ShellTree): string | undefined {
  if (part.is === "command") return `stands in the $( ) of "${part.words[0]?.text ?? part.assigned[0]?.text ?? ""}"`;
  if (part.is === "or" && part.left === inner) return `is followed by "|| ${firstOf(part.right)}"`;
  if (part.is === "and" && part.left === inner) return 'stands before "&&" in a list that is not the last command';
  if (part.is === "background") return "runs in the background, and nothing asks for its answer";
  if (part.is === "pipe" && part.of.length > 1 && part.of.at(-1) !== inner)
    return `goes through a pipe to "${firstOf(part.of.at(-1)!)}", and the shell asks only the last command of a pipe`;
  if (part.is === "pipe" && part.isNegated) return 'stands behind "!" and is not the last command';
  if (part.is === "if" && part.condition === inner) return "decides only what is printed";
  return undefined;
}

const firstOf = (tree: ShellTree): string =>
  (commandsOf(tree)[0]?.words ?? [])
    .map(({ text }) => text)
    .join(" ")
    .slice(0, 60);

/** Gives what contains a command, nearest first. */
function pathTo(tree: ShellTree, command: CommandTree): readonly ShellTree[] | undefined {
  if (tree === command) return [];
  for (const part of partsOf(tree)) {
    const found = pathTo(part, command);
    if (found) return [...found, tree];
  }
  return undefined;
}
