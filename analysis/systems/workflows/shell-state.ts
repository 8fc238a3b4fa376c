// What is known at one place of a script that is followed, and the ways in which a part of it can end.
import { expanded } from "./shell-tests.ts";
import type { CommandTree } from "./shell-tree.ts";

export interface State {
  readonly vars: ReadonlyMap<string, string>;
  readonly stops: boolean;
  readonly hears: boolean;
  /** Whether an asked command has run on this path. */
  readonly asked: boolean;
  /** What was written so far within `$( )`; undefined if that is not known. */
  readonly out: string | undefined;
  readonly lastIsBad: boolean;
}
export type Flow = "on" | "exit" | "return" | "break" | "continue";
export interface End {
  readonly state: State;
  readonly isBad: boolean;
  readonly flow: Flow;
}

const endsMax = 48;

export const on = (state: State, isBad: boolean): End => ({ state, isBad, flow: "on" });
export const negated = (end: End): End => ({ ...end, isBad: !end.isBad });

/** What a command writes, as far as it is known: a failing one writes nothing. */
export function written(words: readonly string[], { out }: State, isBad: boolean): string | undefined {
  if (out === undefined) return undefined;
  if (isBad) return out;
  if (words[0] !== "echo" || words.some((word) => /[$`]/.test(word))) return undefined;
  return `${out}${words.slice(1).join(" ")}\n`;
}

export function assigned({ assigned: all, inner }: CommandTree, state: State, text: string | undefined): State {
  const vars = new Map(state.vars);
  for (const word of all) {
    const [, name = "", plus = "", value = ""] = /^(\w+)(\+?)=([^]*)$/.exec(word.text) ?? [];
    const isAnswer = inner.length === 1 && word.inner.length === 1 && /^(\$\([^]*\)|`[^]*`)$/.test(value);
    const known = isAnswer ? text : expanded({ ...word, text: value }, state.vars);
    if (plus !== "" || known === undefined || word.inner.length > Number(isAnswer)) vars.delete(name);
    else vars.set(name, known);
  }
  return { ...state, vars };
}

export const without = (state: State, name: string): State => {
  const vars = new Map(state.vars);
  vars.delete(name);
  return { ...state, vars };
};

export const keyOf = ({ state, isBad, flow }: End): string =>
  [
    [...state.vars]
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join("\n"),
    state.stops,
    state.hears,
    state.asked,
    state.out,
    state.lastIsBad,
    isBad,
    flow,
  ].join("\u0000");

/** Ends that are alike count once; if there are too many, what is known of variables is given up. */
export function merged(ends: readonly End[]): readonly End[] {
  if (ends.length < 2) return ends;
  const all = [...new Map(ends.map((end) => [keyOf(end), end])).values()];
  if (all.length <= endsMax) return all;
  const less = all.map((end) => ({ ...end, state: { ...end.state, vars: new Map(), out: undefined } }));
  return [...new Map(less.map((end) => [keyOf(end), end])).values()];
}

export const mergedParts = <T extends End & { readonly anyBad: boolean }>(ends: readonly T[]): readonly T[] => [
  ...new Map(ends.map((end) => [`${keyOf(end)}${end.anyBad}`, end])).values(),
];
