// Splits the script of a `run:` into commands, as far as rules need it: quotes, comments, continued lines, here
// documents, operators and what stands in a condition. It is no shell: what it cannot split it keeps as one command.
import { afterHereDocuments, endOfLine } from "./shell-spans.ts";

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

interface Piece {
  words: string[];
  text: string;
  line: number;
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
const cache = new Map<string, readonly ShellCommand[]>();

/** Gives the commands of a script in order. */
export function commandsIn(script: string): readonly ShellCommand[] {
  const known = cache.get(script);
  if (known) return known;
  const commands = split(script);
  cache.set(script, commands);
  return commands;
}

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
export function answersIn(script: string): readonly ShellCommand[] {
  const found: ShellCommand[] = [];
  let end = 0;
  let from = 0;
  let counted = 0;
  for (const { index, 0: head } of script.matchAll(/(?:^|[\s;&|])\w+="?\$\(/g)) {
    if (index < end) continue;
    const open = index + head.length - 1;
    end = closing(script, open);
    // A bracket that nothing closes takes the rest of the script, so nothing is read twice.
    from += script.slice(counted, open).split("\n").length - 1;
    counted = open;
    for (const command of commandsIn(script.slice(open + 1, end - 1)))
      found.push({ ...command, line: command.line + from });
  }
  return found;
}

function split(script: string): readonly ShellCommand[] {
  const out: ShellCommand[] = [];
  let piece: Piece = { words: [], text: "", line: 0 };
  let isCondition = false;
  const end = (next: ShellCommand["next"]): void => {
    const all = piece.words;
    const head = all[0] ?? "";
    if (conditions.has(head)) isCondition = true;
    if (head === "then" || head === "do") isCondition = false;
    const words = withoutPrefix(all);
    if (words.length > 0)
      out.push({
        words,
        text: piece.text.trim(),
        line: piece.line,
        next,
        isCondition: isCondition || all.includes("!"),
      });
    piece = { words: [], text: "", line: 0 };
  };
  for (const token of tokensOf(script)) {
    if (token.operator !== undefined) {
      end(token.operator);
      continue;
    }
    if (piece.words.length === 0) piece.line = token.line;
    piece.words.push(token.word);
    piece.text += ` ${token.word}`;
  }
  end("");
  return out;
}

/** Takes the brackets of a subshell off: `(npm test)` runs `npm test`. */
function withoutBrackets(all: readonly string[]): readonly string[] {
  const [first = ""] = all;
  if (!/^\([\w./-]/.test(first)) return all;
  const words = [first.slice(1), ...all.slice(1)];
  const last = words.at(-1)!;
  return /[^()]\)$/.test(last) ? [...words.slice(0, -1), last.slice(0, -1)] : words;
}

/** Takes off what stands before a command: `sudo`, `npx`, assignments and the like. */
export function withoutPrefix(whole: readonly string[]): readonly string[] {
  const all = withoutBrackets(whole);
  let from = 0;
  for (let taken = 1; taken > 0 && from < all.length; from += taken) taken = prefixAt(all, from);
  return all.slice(from);
}

/** Gives how many words at a place only stand before a command. */
function prefixAt(all: readonly string[], at: number): number {
  const [word = "", next = ""] = all.slice(at, at + 2);
  if (keywords.has(word) || conditions.has(word) || prefixes.has(word) || /^[A-Za-z_]\w*=/.test(word)) return 1;
  if (word === "timeout" && /^\d/.test(next)) return 2;
  if (word === "sshpass") return 2 + Number(/^-[pfde]$/.test(next));
  const isRunner =
    (/^(uv|poetry|pipenv|pdm)$/.test(word) && next === "run") ||
    (/^(bundle|composer)$/.test(word) && next === "exec") ||
    (/^(pnpm|yarn|bun)$/.test(word) && /^(exec|dlx|x)$/.test(next));
  return isRunner ? 2 : 0;
}

interface Token {
  readonly word: string;
  readonly line: number;
  readonly operator?: ShellCommand["next"];
}

/** Reads words and operators. Quotes and `$( )` are kept within a word. */
function* tokensOf(script: string): Generator<Token> {
  let line = 0;
  let at = 0;
  let ends: string[] = [];
  let previous = "";
  while (at < script.length) {
    const from = at;
    const operator = operatorAt(script, at);
    if (script[at] === "\n") {
      yield { word: "", line, operator: ";" };
      at = afterHereDocuments(script, at + 1, ends);
      ends = [];
    } else if (operator !== undefined) {
      yield { word: "", line, operator };
      at += operator.length;
    } else if (/\s/.test(script[at]!)) at += 1;
    else if (script.startsWith("\\\n", at)) at += 2;
    else if (script[at] === "#") at = endOfLine(script, at);
    else {
      const { word, next } = readWord(script, at);
      const heredoc = /^<<-?(\w+)$/.exec(word) ?? (/^<<-?$/.test(previous) ? /^(\w+)$/.exec(word) : null);
      if (heredoc) ends = [...ends, heredoc[1]!];
      yield { word, line };
      previous = word;
      at = next;
    }
    line += script.slice(from, at).split("\n").length - 1;
  }
}

/** Gives the operator at a place. The `&` of a redirection such as `2>&1` is none. */
function operatorAt(script: string, at: number): "&&" | "||" | ";" | "|" | "&" | undefined {
  const pair = script.slice(at, at + 2);
  if (pair === "&&" || pair === "||") return pair;
  const char = script[at];
  if (char === ";" || char === "|") return char;
  return char === "&" && script[at + 1] !== ">" && script[at - 1] !== ">" ? char : undefined;
}

/** Reads one word from a place that is no space; quotes are taken off. */
function readWord(script: string, start: number): { readonly word: string; readonly next: number } {
  let word = "";
  let at = start;
  while (at < script.length && !/\s/.test(script[at]!) && operatorAt(script, at) === undefined) {
    const { text, next } = partAt(script, at);
    word += text;
    at = next;
  }
  return { word, next: Math.max(at, start + 1) };
}

/** Reads the part of a word that begins at a place: an expression, a substitution, a quote or one character. */
function partAt(script: string, at: number): { readonly text: string; readonly next: number } {
  const char = script[at]!;
  const whole = (next: number) => ({ text: script.slice(at, next), next });
  if (script.startsWith("${{", at)) {
    const end = script.indexOf("}}", at);
    return whole(end === -1 ? script.length : end + 2);
  }
  if (script.startsWith("$(", at)) return whole(closing(script, at + 1));
  if (char === '"' || char === "'") {
    const next = endOfQuote(script, at);
    return { text: script.slice(at + 1, next - 1), next };
  }
  if (char !== "\\" || at + 1 >= script.length) return whole(at + 1);
  return { text: script[at + 1] === "\n" ? "" : script[at + 1]!, next: at + 2 };
}

function endOfQuote(script: string, start: number): number {
  const quote = script[start];
  for (let at = start + 1; at < script.length; at += 1) {
    if (script[at] === "\\" && quote === '"') at += 1;
    else if (script[at] === quote) return at + 1;
  }
  return script.length;
}

/** Gives where the bracket that opens at a place is closed. */
function closing(script: string, open: number): number {
  let depth = 0;
  for (let at = open; at < script.length; at += 1) {
    const char = script[at];
    if (char === '"' || char === "'") at = endOfQuote(script, at) - 1;
    else if (char === "(") depth += 1;
    else if (char === ")") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return script.length;
}
