// The commands of a script in their order, as rules ask for them: what each is, what follows it, and whether it only
// decides a branch. They come from the tree of the script, and from its tokens if it has no tree, as one of PowerShell.
import { shellTokens, type Word } from "./shell-tokens.ts";
import { type ShellTree, treeOf } from "./shell-tree.ts";

/** Longer scripts are generated, and scanning them takes too long. */
export const charactersMax = 20_000;

/** One simple command. */
export interface ShellCommand {
  /** Its words without quotes; assignments, `sudo`, `npx` and the like before it are left out. */
  readonly words: readonly string[];
  readonly text: string;
  /** The line of the script that it begins on, from 0. */
  readonly line: number;
  /** What follows it. */
  readonly next: "&&" | "||" | "|" | ";" | "&" | "";
  /** Whether its exit code decides a branch or a loop, so that it cannot fail the step. */
  readonly isCondition: boolean;
}

/** Something with the words of a command. */
export type Worded = Pick<ShellCommand, "words">;

/** The words of a command as they stand in the script. */
interface Piece extends Pick<ShellCommand, "line" | "next" | "isCondition"> {
  readonly all: readonly Word[];
}

const keywords = new Set(["then", "do", "else", "{", "(", "!", "time"]);
const conditions = new Set(["if", "elif", "while", "until"]);
const prefixes = new Set([
  "sudo",
  "npx",
  "bunx",
  "exec",
  "command",
  "env",
  "nohup",
  "dotenv",
  "--",
  "--yes",
  "-y",
  "-E",
]);
const pieces = new Map<string, readonly Piece[]>();
const cache = new Map<string, readonly ShellCommand[]>();

/** Gives the commands of a script in order. */
export function commandsIn(script: string): readonly ShellCommand[] {
  const known = cache.get(script);
  if (known) return known;
  const commands = piecesOf(script).flatMap(commandOf);
  cache.set(script, commands);
  return commands;
}

function commandOf({ all, line, next, isCondition }: Piece): readonly ShellCommand[] {
  const texts = all.map(({ text }) => text);
  const words = withoutPrefix(texts);
  return words.length === 0 ? [] : [{ words, text: texts.join(" "), line, next, isCondition }];
}

function piecesOf(script: string): readonly Piece[] {
  const known = pieces.get(script);
  if (known) return known;
  const tree = script.length > charactersMax ? undefined : treeOf(script);
  const found = tree ? inTree(tree, "", false) : inTokens(script);
  pieces.set(script, found);
  return found;
}

/** Gives the commands of a tree, those in `$( )` left out. What follows a group follows its last command. */
function inTree(tree: ShellTree, next: ShellCommand["next"], isCondition: boolean): readonly Piece[] {
  const inner = (part: ShellTree): readonly Piece[] => inTree(part, ";", isCondition);
  switch (tree.is) {
    case "command":
      return [{ all: tree.all, line: tree.line, next, isCondition }];
    case "list":
      return tree.of.flatMap((part, at) => inTree(part, at === tree.of.length - 1 ? next : ";", isCondition));
    case "pipe":
      return tree.of.flatMap((part, at) =>
        inTree(part, at === tree.of.length - 1 ? next : "|", isCondition || tree.isNegated),
      );
    case "and":
    case "or":
      return [
        ...inTree(tree.left, tree.is === "and" ? "&&" : "||", isCondition),
        ...inTree(tree.right, next, isCondition),
      ];
    case "background":
      return inTree(tree.of, "&", isCondition);
    case "subshell":
      return inTree(tree.of, next, isCondition);
    case "if":
      return [inTree(tree.condition, ";", true), inner(tree.then), tree.otherwise ? inner(tree.otherwise) : []].flat();
    case "while":
    case "until":
      return [...inTree(tree.condition, ";", true), ...inner(tree.body)];
    case "case":
      return tree.of.flatMap(inner);
    default:
      return inner(tree.body);
  }
}

/** Splits the tokens of what is no shell script at its operators. */
function inTokens(script: string): readonly Piece[] {
  const out: Piece[] = [];
  let all: Word[] = [];
  let line = 0;
  let isCondition = false;
  const end = (next: ShellCommand["next"]): void => {
    const head = all[0]?.text ?? "";
    if (conditions.has(head)) isCondition = true;
    if (head === "then" || head === "do") isCondition = false;
    out.push({ all, line, next, isCondition: isCondition || all.some(({ text }) => text === "!") });
    all = [];
  };
  for (const token of shellTokens(script)) {
    if (token.is === "operator") end(nextOf(token.text));
    else {
      if (all.length === 0) line = token.line;
      all.push(token.word);
    }
  }
  end("");
  return out;
}

const nextOf = (operator: string): ShellCommand["next"] => {
  if (operator === "&&" || operator === "||" || operator === "&") return operator;
  return operator === "|" || operator === "|&" ? "|" : ";";
};

const listing = new RegExp(
  "^((kubectl|oc)( -\\S+ \\S+)* (get|describe|logs|top|version|cluster-info)|" +
    "helm( -\\S+ \\S+)* (list|ls|status|history|get)|docker( container)? (ps|ls|logs|images|inspect|stats)|" +
    "docker[ -]compose .*\\b(ps|logs)|pm2 (ls|list|logs)|journalctl|(fly|flyctl) (status|logs))( |$)",
);

/** Whether a command only lists what is there: it succeeds whatever state that is in. */
export const isListing = ({ words }: Worded): boolean => listing.test(words.join(" "));

/**
 * Gives the commands whose answer a script puts into a variable, as in `ID=$(aws deploy …)`. They are no commands of
 * `commandsIn`, because most rules ask what a script does and not what it reads.
 */
export const answersIn = (script: string): readonly ShellCommand[] =>
  piecesOf(script)
    .flatMap(({ all }) => all)
    .flatMap(({ text, inner }) => (/^\w+=\$\(/.test(text) ? inner.slice(0, 1) : []))
    .flatMap((inner) => commandsIn(inner.script).map((each) => ({ ...each, line: each.line + inner.line })));

/** Takes off what stands before a command: `sudo`, `npx`, assignments and the like. */
export function withoutPrefix(all: readonly string[]): readonly string[] {
  let from = 0;
  for (let taken = 1; taken > 0 && from < all.length; from += taken) taken = prefixAt(all, from);
  return all.slice(from);
}

/** Gives how many words at a place only stand before a command. */
function prefixAt(all: readonly string[], at: number): number {
  const [word = "", next = ""] = all.slice(at, at + 2);
  if (keywords.has(word) || conditions.has(word) || prefixes.has(word) || /^[A-Za-z_]\w*=/.test(word)) return 1;
  if (/^(microk8s|k3s)$/.test(word) && next === "kubectl") return 1;
  if (word === "timeout" && /^[\d$]/.test(next)) return 2;
  if (word === "sshpass") return 2 + Number(/^-[pfd]$/.test(next));
  // What runs a command with secrets, tools or a folder of its own ends its options with two dashes.
  if (/^(doppler|infisical|op|mise|aws-vault|chamber|direnv|devbox)$/.test(word)) return to("--", all, at);
  const isRunner =
    (/^(uv|poetry|pipenv|pdm)$/.test(word) && next === "run") ||
    (/^(bundle|composer)$/.test(word) && next === "exec") ||
    (/^(pnpm|yarn|bun)$/.test(word) && /^(exec|dlx|x)$/.test(next));
  return isRunner ? 2 : 0;
}

/** Gives how many words there are up to one and with it; none if it does not come. */
const to = (end: string, all: readonly string[], at: number): number => Math.max(0, all.indexOf(end, at) + 1 - at);
