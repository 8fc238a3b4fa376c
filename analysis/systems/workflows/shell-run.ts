// Follows a script on every path that the files allow, and tells how it can end. The caller says how a command
// answers; what the shell does with the answer is decided here as bash does it: `-e` and where it does not count, pipes
// with and without pipefail, `!`, lists, `$( )`, subshells, functions, background jobs, `exit` and `$?`.
import { builtin } from "./shell-builtins.ts";
import {
  assigned,
  type End,
  keyOf,
  merged,
  mergedParts,
  negated,
  on,
  type State,
  without,
  written,
} from "./shell-state.ts";
import { expanded } from "./shell-tests.ts";
import type { CommandTree, ShellTree } from "./shell-tree.ts";

/** How a command can answer: well, badly, or either. */
export type Answer = "good" | "bad" | "either";

/** How a shell was started. */
export interface ShellOptions {
  readonly stopsOnFailure: boolean;
  readonly hearsPipes: boolean;
}

/** What a script is followed for. */
export interface Question {
  readonly options: ShellOptions;
  /** How a command answers. A condition is what decides a branch, a loop, or the rest of a list. */
  readonly answer: (command: CommandTree, isCondition: boolean) => Answer;
  /** Whether the command is one of those that are asked about. */
  readonly isAsked: (command: CommandTree) => boolean;
  /** Whether a part of the script has nothing to do with what is asked: that it can fail tells nothing. */
  readonly isApart?: (part: ShellTree) => boolean;
}

/** Whether a failure is looked at by something other than `-e`: it stands in a condition. */
interface Context {
  readonly isHeard: boolean;
  readonly depth: number;
}

const commandsMax = 4000;
const roundsMax = 3;

/** Whether a script can fail after an asked command has run; undefined if it is too big to follow. */
export function canFail(tree: ShellTree, question: Question): boolean | undefined {
  const runner = new Runner(tree, question);
  try {
    return runner.ends().some(({ state, isBad }) => state.asked && isBad);
  } catch (error) {
    if (error instanceof TooMany) return undefined;
    throw error;
  }
}

class TooMany extends Error {}

class Runner {
  readonly #tree: ShellTree;
  readonly #question: Question;
  readonly #functions = new Map<string, ShellTree>();
  #count = 0;

  constructor(tree: ShellTree, question: Question) {
    this.#tree = tree;
    this.#question = question;
    this.#collect(tree);
  }

  #collect(tree: ShellTree): void {
    if (tree.is === "function") this.#functions.set(tree.name, tree.body);
    if (tree.is === "list") for (const each of tree.of) this.#collect(each);
  }

  ends(): readonly End[] {
    const { stopsOnFailure, hearsPipes } = this.#question.options;
    const state: State = {
      vars: new Map(),
      stops: stopsOnFailure,
      hears: hearsPipes,
      asked: false,
      out: undefined,
      lastIsBad: false,
    };
    return this.#run(this.#tree, state, { isHeard: false, depth: 0 });
  }

  #run(tree: ShellTree, state: State, context: Context): readonly End[] {
    if (context.depth > 60) throw new TooMany();
    const deeper = { ...context, depth: context.depth + 1 };
    switch (tree.is) {
      case "command":
        return this.#command(tree, state, deeper);
      case "list":
        return this.#sequence(tree.of, [on(state, false)], deeper);
      case "pipe":
        return this.#pipe(tree, state, deeper);
      case "and":
      case "or":
        return this.#apart(tree, this.#either(tree, state, deeper));
      case "background":
        return this.#aside(tree.of, state, deeper).map(({ state: after }) => on(after, false));
      case "subshell":
        return this.#aside(tree.of, state, deeper).map((end) => this.#judged(end, context));
      case "if":
        return this.#apart(tree, this.#if(tree, state, deeper));
      case "case":
        return this.#apart(tree, this.#case(tree, state, deeper));
      case "function":
        return [on(state, false)];
      default:
        return this.#loop(tree, state, deeper);
    }
  }

  #sequence(trees: readonly ShellTree[], begin: readonly End[], context: Context): readonly End[] {
    let ends = begin;
    for (const tree of trees)
      ends = merged(ends.flatMap((end) => (end.flow === "on" ? this.#run(tree, end.state, context) : [end])));
    return ends;
  }

  /** Leaves out the ways in which a part fails that has nothing to do with what is asked. */
  #apart(part: ShellTree, ends: readonly End[]): readonly End[] {
    if (ends.length < 2 || !this.#question.isApart?.(part)) return ends;
    const well = ends.filter(({ isBad, flow }) => !isBad || (flow !== "exit" && flow !== "return"));
    return well.length > 0 ? well : ends;
  }

  /** Stops at a failure if `-e` counts here. */
  #judged(end: End, { isHeard }: Context): End {
    return end.isBad && end.flow === "on" && end.state.stops && !isHeard ? { ...end, flow: "exit" } : end;
  }

  /** Runs something in a shell of its own: its variables and its `exit` stay there. */
  #aside(tree: ShellTree, state: State, context: Context): readonly End[] {
    return merged(
      this.#run(tree, state, context).map(({ state: after, isBad }) =>
        on({ ...state, asked: after.asked, out: after.out, lastIsBad: isBad }, isBad),
      ),
    );
  }

  #pipe(tree: ShellTree & { is: "pipe" }, state: State, context: Context): readonly End[] {
    const isHeard = context.isHeard || tree.isNegated;
    if (tree.of.length === 1)
      return this.#run(tree.of[0]!, state, { ...context, isHeard }).map((end) =>
        end.flow === "on" ? negated(end) : end,
      );
    let ends: readonly (End & { readonly anyBad: boolean })[] = [{ ...on(state, false), anyBad: false }];
    for (const part of tree.of)
      ends = mergedParts(
        ends.flatMap(({ state: before, anyBad }) =>
          this.#aside(part, { ...before, out: undefined }, { ...context, isHeard }).map((end) => ({
            ...end,
            anyBad: anyBad || end.isBad,
          })),
        ),
      );
    return merged(
      ends.map(({ anyBad, ...end }) => {
        const isBad = state.hears ? anyBad : end.isBad;
        const whole = on({ ...end.state, out: undefined, lastIsBad: isBad }, isBad);
        return tree.isNegated ? negated(whole) : this.#judged(whole, context);
      }),
    );
  }

  #either(tree: ShellTree & { is: "and" | "or" }, state: State, context: Context): readonly End[] {
    const left = this.#run(tree.left, state, { ...context, isHeard: true });
    return merged(
      left.flatMap((end) => {
        const goesOn = end.flow === "on" && end.isBad === (tree.is === "or");
        return goesOn ? this.#run(tree.right, end.state, context) : [end];
      }),
    );
  }

  #if(tree: ShellTree & { is: "if" }, state: State, context: Context): readonly End[] {
    return merged(
      this.#run(tree.condition, state, { ...context, isHeard: true }).flatMap((end) => {
        if (end.flow !== "on") return [end];
        const branch = end.isBad ? tree.otherwise : tree.then;
        return branch ? this.#run(branch, end.state, context) : [on(end.state, false)];
      }),
    );
  }

  #case(tree: ShellTree & { is: "case" }, state: State, context: Context): readonly End[] {
    const ends = tree.of.flatMap((body) => this.#run(body, state, context));
    return merged(tree.hasDefault ? ends : [...ends, on(state, false)]);
  }

  #loop(tree: ShellTree & { is: "for" | "while" | "until" }, state: State, context: Context): readonly End[] {
    const out: End[] = [];
    let ahead: readonly End[] = [on(state, false)];
    const seen = new Set<string>();
    if (tree.is === "for" && !isSureOf(tree.values)) out.push(on(state, false));
    for (let round = 0; round < roundsMax && ahead.length > 0; round += 1) {
      const bodies = tree.is === "for" ? this.#next(tree, ahead) : this.#asked(tree, ahead, out, context);
      const ends = this.#sequence([tree.body], bodies, context);
      out.push(...ends.flatMap((end) => leaving(end)));
      const again = ends
        .filter(({ flow }) => flow === "on" || flow === "continue")
        .map((end) => ({ ...end, flow: "on" as const }));
      if (tree.is === "for") out.push(...again);
      ahead = again.filter((end) => !seen.has(keyOf(end)));
      for (const end of ahead) seen.add(keyOf(end));
    }
    // A loop without an end runs into the timeout, and that fails the job.
    return out.length === 0 ? [{ state: { ...state, asked: true }, isBad: true, flow: "exit" }] : merged(out);
  }

  #next({ name }: ShellTree & { is: "for" }, ahead: readonly End[]): readonly End[] {
    return ahead.map((end) => on(without(end.state, name), false));
  }

  /** Asks the condition of a loop: where it ends, the loop is left. */
  #asked(
    tree: ShellTree & { is: "while" | "until" },
    ahead: readonly End[],
    out: End[],
    context: Context,
  ): readonly End[] {
    const ends = this.#sequence([tree.condition], ahead, { ...context, isHeard: true });
    const goesOn = ({ isBad }: End): boolean => isBad === (tree.is === "until");
    out.push(
      ...ends
        .filter((end) => end.flow !== "on" || !goesOn(end))
        .map((end) => (end.flow === "on" ? on(end.state, false) : end)),
    );
    return ends.filter((end) => end.flow === "on" && goesOn(end));
  }

  #command(command: CommandTree, before: State, context: Context): readonly End[] {
    this.#count += 1;
    if (this.#count > commandsMax) throw new TooMany();
    return merged(
      this.#inner(command, before, context).flatMap(({ state, isBad, text }) => {
        const ends =
          command.words.length === 0
            ? [on(assigned(command, state, text), isBad)]
            : this.#named(command, state, context, text);
        return ends.map((end) => this.#judged({ ...end, state: { ...end.state, lastIsBad: end.isBad } }, context));
      }),
    );
  }

  /** Runs what stands in `$( )`: bash does not stop there at a failure, and only the last answer is left. */
  #inner(
    { inner }: CommandTree,
    state: State,
    context: Context,
  ): readonly { readonly state: State; readonly isBad: boolean; readonly text: string | undefined }[] {
    let all: readonly { state: State; isBad: boolean; text: string | undefined }[] = [
      { state, isBad: false, text: undefined },
    ];
    for (const tree of inner)
      all = all.flatMap(({ state: before }) =>
        this.#aside(tree, { ...before, stops: false, out: "" }, { ...context, isHeard: false }).map((end) => ({
          state: { ...before, asked: end.state.asked },
          isBad: end.isBad,
          text: end.state.out?.replace(/\n+$/, ""),
        })),
      );
    return all;
  }

  #named(command: CommandTree, state: State, context: Context, text: string | undefined): readonly End[] {
    const words = command.words.map((word) => expanded(word, state.vars) ?? word.text);
    const [name = ""] = words;
    const body = this.#functions.get(name);
    if (body !== undefined)
      return this.#run(body, state, context).map((end) => (end.flow === "return" ? { ...end, flow: "on" } : end));
    return builtin(command, words, state, text, context.isHeard) ?? this.#program(command, words, state, context);
  }

  #program(command: CommandTree, words: readonly string[], before: State, context: Context): readonly End[] {
    const isAsked = this.#question.isAsked(command);
    const state = { ...before, asked: before.asked || isAsked };
    const answer = this.#question.answer(command, context.isHeard);
    const out = written(words, state, answer === "bad");
    return (answer === "either" ? [true, false] : [answer === "bad"]).map((isBad) => on({ ...state, out }, isBad));
  }
}

/** What leaves a loop: `break`, and what leaves more than the loop. */
const leaving = (end: End): readonly End[] => {
  if (end.flow === "break") return [on(end.state, false)];
  return end.flow === "exit" || end.flow === "return" ? [end] : [];
};

/** Whether a loop runs at least once. */
const isSureOf = (values: readonly { readonly text: string }[]): boolean =>
  values.some(({ text }) => /^\{\d+\.\.\d+\}$|^\$\(seq [\d ]+\)$/.test(text) || !/[$`*]/.test(text));
