// The tree of a script: lists, pipes, conditions, loops, functions and subshells, each with the commands in it.
// `shell-run.ts` follows it to tell whether the failure of a command can fail the script. A script that is no POSIX
// shell or bash has no tree.
import { type ShellToken, shellTokens, type Word } from "./shell-tokens.ts";

/** A simple command, with the scripts whose output stands in its words. */
export interface CommandTree {
  readonly is: "command";
  /** Every word as it stands there. */
  readonly all: readonly Word[];
  /** Its name and what it is given. */
  readonly words: readonly Word[];
  /** `name=value` before the command, or alone. */
  readonly assigned: readonly Word[];
  readonly redirected: readonly Word[];
  readonly inner: readonly ShellTree[];
  readonly line: number;
}
export type ShellTree =
  | CommandTree
  | { readonly is: "pipe"; readonly of: readonly ShellTree[]; readonly isNegated: boolean }
  | { readonly is: "and" | "or"; readonly left: ShellTree; readonly right: ShellTree }
  | { readonly is: "list"; readonly of: readonly ShellTree[] }
  | { readonly is: "background" | "subshell"; readonly of: ShellTree }
  | { readonly is: "if"; readonly condition: ShellTree; readonly then: ShellTree; readonly otherwise?: ShellTree }
  | { readonly is: "while" | "until"; readonly condition: ShellTree; readonly body: ShellTree }
  | { readonly is: "for"; readonly name: string; readonly values: readonly Word[]; readonly body: ShellTree }
  | { readonly is: "case"; readonly of: readonly ShellTree[]; readonly hasDefault: boolean }
  | { readonly is: "function"; readonly name: string; readonly body: ShellTree };

const reserved = /^(then|do|done|fi|else|elif|esac|in|\})$/;
const depthMax = 40;
const cache = new Map<string, ShellTree | undefined>();

/** Gives the tree of a script; undefined if it cannot be read. */
export function treeOf(script: string): ShellTree | undefined {
  if (!cache.has(script)) cache.set(script, parsed(script, 0, 0));
  return cache.get(script);
}

function parsed(script: string, line: number, depth: number): ShellTree | undefined {
  if (depth > depthMax) return undefined;
  try {
    return new Parser(shellTokens(script), line, depth).whole();
  } catch {
    return undefined;
  }
}

/** Gives every simple command of a tree, those in substitutions too. */
export function commandsOf(tree: ShellTree): readonly CommandTree[] {
  switch (tree.is) {
    case "command":
      return [tree, ...tree.inner.flatMap(commandsOf)];
    case "and":
    case "or":
      return [...commandsOf(tree.left), ...commandsOf(tree.right)];
    case "background":
    case "subshell":
      return commandsOf(tree.of);
    case "if":
      return [tree.condition, tree.then, ...(tree.otherwise ? [tree.otherwise] : [])].flatMap(commandsOf);
    case "while":
    case "until":
      return [...commandsOf(tree.condition), ...commandsOf(tree.body)];
    case "for":
    case "function":
      return commandsOf(tree.body);
    default:
      return tree.of.flatMap(commandsOf);
  }
}

class Parser {
  readonly #tokens: readonly ShellToken[];
  readonly #line: number;
  readonly #depth: number;
  #at = 0;
  #nesting = 0;

  constructor(tokens: readonly ShellToken[], line: number, depth: number) {
    this.#tokens = tokens;
    this.#line = line;
    this.#depth = depth;
  }

  whole(): ShellTree {
    const list = this.#list(() => false);
    if (this.#at < this.#tokens.length) throw new Error("a token that begins no command");
    return list;
  }

  get #token(): ShellToken | undefined {
    return this.#tokens[this.#at];
  }
  #isWord(text: string): boolean {
    const token = this.#token;
    return token?.is === "word" && !token.word.isQuoted && token.word.text === text;
  }
  #isOperator(...texts: readonly string[]): boolean {
    const token = this.#token;
    return token?.is === "operator" && texts.includes(token.text);
  }
  #take(text: string): void {
    const token = this.#token;
    const found = token?.is === "word" ? token.word.text : token?.text;
    if (found !== text) throw new Error(`${found ?? "the end"} instead of ${text}`);
    this.#at += 1;
  }
  #skipLines(): void {
    while (this.#isOperator(";")) this.#at += 1;
  }

  #list(isEnd: () => boolean): ShellTree {
    this.#nesting += 1;
    if (this.#nesting > depthMax) throw new Error("a script that is nested too deep");
    const of: ShellTree[] = [];
    this.#skipLines();
    while (this.#token !== undefined && !isEnd()) {
      const one = this.#andOr();
      const isBackground = this.#isOperator("&");
      of.push(isBackground ? { is: "background", of: one } : one);
      if (isBackground) this.#at += 1;
      else if (this.#token !== undefined && !this.#isOperator(";") && !isEnd()) throw new Error("no end of a command");
      this.#skipLines();
    }
    this.#nesting -= 1;
    return { is: "list", of };
  }

  #until = (...words: readonly string[]): ShellTree => this.#list(() => words.some((each) => this.#isWord(each)));

  #andOr(): ShellTree {
    let left = this.#pipe();
    while (this.#isOperator("&&", "||")) {
      const is = this.#isOperator("&&") ? "and" : "or";
      this.#at += 1;
      this.#skipLines();
      left = { is, left, right: this.#pipe() };
    }
    return left;
  }

  #pipe(): ShellTree {
    let isNegated = false;
    while (this.#isWord("!") || this.#isWord("time")) {
      if (this.#isWord("!")) isNegated = !isNegated;
      this.#at += 1;
    }
    const of = [this.#command()];
    while (this.#isOperator("|", "|&")) {
      this.#at += 1;
      this.#skipLines();
      of.push(this.#command());
    }
    return of.length === 1 && !isNegated ? of[0]! : { is: "pipe", of, isNegated };
  }

  #command(): ShellTree {
    const compound = this.#compound();
    if (compound === undefined) return this.#simple();
    while (this.#token?.is === "word" && isRedirection(this.#token.word)) this.#at += 1;
    return compound;
  }

  #compound(): ShellTree | undefined {
    if (this.#isOperator("(")) {
      this.#at += 1;
      const of = this.#list(() => this.#isOperator(")"));
      this.#take(")");
      return { is: "subshell", of };
    }
    const token = this.#token;
    if (token?.is !== "word" || token.word.isQuoted) return undefined;
    const readers: Readonly<Record<string, () => ShellTree>> = {
      "{": this.#group,
      if: this.#if,
      while: () => this.#loop("while"),
      until: () => this.#loop("until"),
      for: this.#for,
      select: this.#for,
      case: this.#case,
      function: this.#function,
    };
    const reader = Object.hasOwn(readers, token.word.text) ? readers[token.word.text] : undefined;
    if (reader) {
      this.#at += 1;
      return reader();
    }
    const [open, close] = [this.#tokens[this.#at + 1], this.#tokens[this.#at + 2]];
    const isFunction = open?.is === "operator" && open.text === "(" && close?.is === "operator" && close.text === ")";
    return isFunction ? this.#function() : undefined;
  }

  #group = (): ShellTree => {
    const of = this.#until("}");
    this.#take("}");
    return of;
  };

  #if = (): ShellTree => {
    const condition = this.#until("then");
    this.#take("then");
    const then = this.#until("elif", "else", "fi");
    if (this.#isWord("elif")) {
      this.#at += 1;
      return { is: "if", condition, then, otherwise: this.#if() };
    }
    const isElse = this.#isWord("else");
    if (isElse) this.#at += 1;
    const otherwise = isElse ? this.#until("fi") : undefined;
    this.#take("fi");
    return { is: "if", condition, then, ...(otherwise && { otherwise }) };
  };

  #loop(is: "while" | "until"): ShellTree {
    const condition = this.#until("do");
    return { is, condition, body: this.#body() };
  }

  #body(): ShellTree {
    this.#skipLines();
    this.#take("do");
    const body = this.#until("done");
    this.#take("done");
    return body;
  }

  #for = (): ShellTree => {
    const name = this.#word().text;
    this.#skipLines();
    const values: Word[] = [];
    if (this.#isWord("in")) {
      this.#at += 1;
      while (this.#token?.is === "word") values.push(this.#word());
    }
    return { is: "for", name, values, body: this.#body() };
  };

  #case = (): ShellTree => {
    this.#word();
    this.#skipLines();
    this.#take("in");
    this.#skipLines();
    const of: ShellTree[] = [];
    let hasDefault = false;
    while (!this.#isWord("esac")) {
      if (this.#isOperator("(")) this.#at += 1;
      while (!this.#isOperator(")")) {
        if (this.#token === undefined) throw new Error("a case without an end");
        if (this.#isWord("*")) hasDefault = true;
        this.#at += 1;
      }
      this.#at += 1;
      of.push(this.#list(() => this.#isOperator(";;", ";&", ";;&") || this.#isWord("esac")));
      if (this.#isOperator(";;", ";&", ";;&")) this.#at += 1;
      this.#skipLines();
    }
    this.#take("esac");
    return { is: "case", of, hasDefault };
  };

  #function = (): ShellTree => {
    const name = this.#word().text;
    if (this.#isOperator("(")) {
      this.#at += 1;
      this.#take(")");
    }
    this.#skipLines();
    return { is: "function", name, body: this.#command() };
  };

  #word(): Word {
    const token = this.#token;
    if (token?.is !== "word") throw new Error("no word");
    this.#at += 1;
    return token.word;
  }

  #simple(): ShellTree {
    const words: Word[] = [];
    const assigned: Word[] = [];
    const redirected: Word[] = [];
    const all: Word[] = [];
    const line = (this.#token?.line ?? 0) + this.#line;
    while (this.#token?.is === "word") {
      const word = this.#word();
      all.push(word);
      if (isRedirection(word)) redirected.push(word);
      else if (words.length === 0 && /^\w+(\[.*?\])?\+?=/.test(word.text)) assigned.push(word);
      else words.push(word);
    }
    const [first] = words;
    if (first && !first.isQuoted && reserved.test(first.text)) throw new Error(`${first.text} without its beginning`);
    if (all.length === 0) throw new Error("no command");
    const inner = all.flatMap((word) =>
      word.inner.flatMap((each) => parsed(each.script, each.line + this.#line, this.#depth + 1) ?? []),
    );
    return { is: "command", all, words, assigned, redirected, inner, line };
  }
}

const isRedirection = ({ text, isQuoted }: Word): boolean =>
  !isQuoted && /^(\d*|&)[<>]/.test(text) && !/^[<>]\(/.test(text);
