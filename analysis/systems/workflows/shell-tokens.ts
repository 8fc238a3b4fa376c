// Splits a script of a POSIX shell or bash into words and operators: quotes, substitutions, redirections, here
// documents, arithmetic and `[[ ]]`. `shell-tree.ts` builds the tree of the script from them.
import { afterHereDocuments, endOfLine } from "./shell-spans.ts";

/** A word of a script. */
export interface Word {
  /** Without quotes. */
  readonly text: string;
  /** Whether some of it is quoted, so that it is no keyword. */
  readonly isQuoted: boolean;
  /** Whether a single-quoted or escaped part keeps its `$`. */
  readonly isLiteral: boolean;
  /** The scripts of its `$( )` and backticks, with the line that each begins on. */
  readonly inner: readonly { readonly script: string; readonly line: number }[];
}
export type ShellToken =
  | { readonly is: "word"; readonly word: Word; readonly line: number }
  | { readonly is: "operator"; readonly text: string; readonly line: number };

const operators = ["&&", "||", ";;&", ";;", ";&", "|&", ";", "|", "&", "(", ")"];
const redirection = /^(?:\d*|&)(?:<<<|<<-?|>>|>&|<&|>\||<>|>|<)/;

/** Gives the tokens of a script. A newline is the operator `;`. */
export function shellTokens(script: string): readonly ShellToken[] {
  const lexer = new Lexer(script);
  return lexer.all();
}

class Lexer {
  readonly #script: string;
  readonly #out: ShellToken[] = [];
  #at = 0;
  #line = 0;
  #counted = 0;
  #ends: string[] = [];
  #isInTest = false;

  constructor(script: string) {
    this.#script = script;
  }

  all(): readonly ShellToken[] {
    while (this.#at < this.#script.length) this.#next();
    return this.#out;
  }

  /** Gives the line of the place that was reached. */
  #lineHere(): number {
    for (; this.#counted < this.#at; this.#counted += 1) if (this.#script[this.#counted] === "\n") this.#line += 1;
    return this.#line;
  }

  #operator(text: string, length: number): void {
    this.#out.push({ is: "operator", text, line: this.#lineHere() });
    this.#at += length;
  }

  #next(): void {
    const script = this.#script;
    const char = script[this.#at]!;
    if (char === "\n" && !this.#isInTest) {
      this.#operator(";", 1);
      this.#at = afterHereDocuments(script, this.#at, this.#ends);
      this.#ends = [];
    } else if (/\s/.test(char)) this.#at += 1;
    else if (script.startsWith("\\\n", this.#at)) this.#at += 2;
    else if (char === "#") this.#at = endOfLine(script, this.#at);
    else if (this.#isArithmetic()) this.#arithmetic();
    else {
      const operator = this.#isInTest ? undefined : operatorIn(script, this.#at);
      if (operator !== undefined) this.#operator(operator, operator.length);
      else if (!this.#redirect()) this.#word();
    }
  }

  #isArithmetic(): boolean {
    if (!this.#script.startsWith("((", this.#at)) return false;
    const last = this.#out.at(-1);
    return (
      last === undefined || last.is === "operator" || /^(if|while|until|elif|then|do|else|!|for)$/.test(last.word.text)
    );
  }

  #arithmetic(): void {
    const line = this.#lineHere();
    const next = closing(this.#script, this.#at);
    this.#push(plainWord(this.#script.slice(this.#at, next)), line);
    this.#at = next;
  }

  /** Reads a redirection as one word, so that the parser can leave it out; the end of a here document is kept. */
  #redirect(): boolean {
    const match = this.#isInTest ? null : redirection.exec(this.#script.slice(this.#at, this.#at + 12));
    if (match === null || /[<>]\($/.test(this.#script.slice(this.#at, this.#at + match[0].length + 1))) return false;
    const line = this.#lineHere();
    let at = this.#at + match[0].length;
    while (this.#script[at] === " ") at += 1;
    const { word, next } = readWord(this.#script, at, line);
    if (/<<-?$/.test(match[0])) this.#ends.push(word.text);
    this.#push({ ...word, text: `${match[0]}${word.text}`, isQuoted: false }, line);
    this.#at = next;
    return true;
  }

  #word(): void {
    const line = this.#lineHere();
    const isEnd = this.#isInTest && /^\]\](?![^\s;&|)])/.test(this.#script.slice(this.#at, this.#at + 3));
    const { word, next } = isEnd
      ? { word: plainWord("]]"), next: this.#at + 2 }
      : readWord(this.#script, this.#at, line, this.#isInTest);
    if (word.text === "[[" && !word.isQuoted) this.#isInTest = true;
    if (isEnd) this.#isInTest = false;
    this.#push(word, line);
    this.#at = next;
  }

  #push(word: Word, line: number): void {
    this.#out.push({ is: "word", word, line });
  }
}

const plainWord = (text: string): Word => ({ text, isQuoted: false, isLiteral: false, inner: [] });

const operatorIn = (script: string, at: number): string | undefined => {
  const isRedirected = script[at] === "&" && (script[at + 1] === ">" || script[at - 1] === ">");
  return isRedirected ? undefined : operators.find((each) => script.startsWith(each, at));
};

interface Part {
  readonly text: string;
  readonly next: number;
  readonly isQuoted?: boolean;
  readonly isLiteral?: boolean;
  readonly inner?: Word["inner"];
}

function readWord(script: string, start: number, line: number, isInTest = false): { word: Word; next: number } {
  let text = "";
  let at = start;
  let [isQuoted, isLiteral] = [false, false];
  const inner: { script: string; line: number }[] = [];
  // The bracket is asked first: a word may be long.
  const isList = (): boolean => script[at] === "(" && /^\w+\+?=$/.test(text);
  const ends = (): boolean =>
    !isList() &&
    (/\s/.test(script[at]!) || (!isInTest && (operatorIn(script, at) !== undefined || /[<>]/.test(script[at]!))));
  while (at < script.length && (at === start || !ends())) {
    // `name=( … )` is a list, and `<( … )` a file that a command writes.
    const part: Part = isList() ? wholeTo(script, at, closing(script, at)) : partAt(script, at);
    inner.push(...movedBy(part.inner, script, start, at, line));
    text += part.text;
    isQuoted ||= part.isQuoted ?? false;
    isLiteral ||= part.isLiteral ?? false;
    at = Math.max(part.next, at + 1);
  }
  return { word: { text, isQuoted, isLiteral, inner }, next: at };
}

/** Gives inner scripts with the lines between two places added, and those before them. */
function movedBy(inner: Part["inner"], script: string, from: number, to: number, line: number): Word["inner"] {
  if (inner === undefined || inner.length === 0) return [];
  const before = script.slice(from, to).split("\n").length - 1;
  return inner.map((each) => ({ ...each, line: each.line + line + before }));
}

const wholeTo = (script: string, at: number, next: number): Part => ({ text: script.slice(at, next), next });

function partAt(script: string, at: number): Part {
  const char = script[at]!;
  if (script.startsWith("${{", at)) {
    const end = script.indexOf("}}", at);
    return wholeTo(script, at, end === -1 ? script.length : end + 2);
  }
  if (script.startsWith("$((", at)) return wholeTo(script, at, closing(script, at + 1));
  if (script.startsWith("$(", at) || /^[<>]\(/.test(script.slice(at, at + 2))) return substitution(script, at);
  if (script.startsWith("${", at)) return wholeTo(script, at, closing(script, at + 1, "{", "}"));
  if (char === "`") {
    const end = script.indexOf("`", at + 1);
    const next = end === -1 ? script.length : end + 1;
    return { ...wholeTo(script, at, next), inner: [{ script: script.slice(at + 1, next - 1), line: 0 }] };
  }
  if (char === "'") {
    const end = script.indexOf("'", at + 1);
    const next = end === -1 ? script.length : end + 1;
    return { text: script.slice(at + 1, next - 1), next, isQuoted: true, isLiteral: true };
  }
  if (char === '"') return quoted(script, at);
  if (char !== "\\" || at + 1 >= script.length) return wholeTo(script, at, at + 1);
  return { text: script[at + 1] === "\n" ? "" : script[at + 1]!, next: at + 2, isLiteral: true };
}

function substitution(script: string, at: number): Part {
  const next = closing(script, at + 1);
  return { ...wholeTo(script, at, next), inner: [{ script: script.slice(at + 2, next - 1), line: 0 }] };
}

function quoted(script: string, start: number): Part {
  let text = "";
  let at = start + 1;
  const inner: { script: string; line: number }[] = [];
  while (at < script.length && script[at] !== '"') {
    const isPart = script[at] === "$" || script[at] === "`" || script[at] === "\\";
    const part: Part = isPart ? partAt(script, at) : wholeTo(script, at, at + 1);
    inner.push(...movedBy(part.inner, script, start, at, 0));
    text += part.text;
    at = Math.max(part.next, at + 1);
  }
  return { text, next: at + 1, isQuoted: true, inner };
}

/** Deeper quotes within substitutions within quotes are not followed. */
const depthMax = 40;

/** Gives where the bracket that opens at a place is closed; quotes within it are passed over. */
function closing(script: string, open: number, left = "(", right = ")", nesting = 0): number {
  let depth = 0;
  for (let at = open; at < script.length; at += 1) {
    const char = script[at];
    if (char === "\\") at += 1;
    else if (char === '"' || char === "'") at = endOfQuote(script, at, nesting);
    else if (char === left) depth += 1;
    else if (char === right) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return script.length;
}

function endOfQuote(script: string, start: number, nesting: number): number {
  const quote = script[start];
  for (let at = start + 1; at < script.length; at += 1) {
    const isInner = quote === '"' && nesting < depthMax && script.startsWith("$(", at);
    if (isInner) at = closing(script, at + 1, "(", ")", nesting + 1) - 1;
    else if (script[at] === "\\" && quote === '"') at += 1;
    else if (script[at] === quote) return at;
  }
  return script.length;
}
