// What the shell does itself: `exit`, `return`, `set`, `wait`, tests, and the commands that change variables.
import { assigned, type End, on, type State, without } from "./shell-state.ts";
import { testHolds } from "./shell-tests.ts";
import type { CommandTree } from "./shell-tree.ts";

const declaring = /^(local|export|declare|readonly|typeset)$/;

/** What the shell does itself; undefined for a program. */
export function builtin(
  command: CommandTree,
  words: readonly string[],
  state: State,
  text: string | undefined,
  isHeard: boolean,
): readonly End[] | undefined {
  const [name = "", first = ""] = words;
  if (name === "exit" || name === "return")
    return codes(command, first, state).map((isBad) => ({ state, isBad, flow: name }));
  if (name === "break" || name === "continue") return [{ state, isBad: false, flow: name }];
  if (name === "true" || name === ":") return [on(state, false)];
  if (name === "false") return [on(state, true)];
  if (name === "wait") return (words.length === 1 ? [false] : [true, false]).map((isBad) => on(state, isBad));
  const changed = withVariables(command, words, state, text);
  if (changed !== undefined)
    return (name === "read" && isHeard ? [true, false] : [false]).map((isBad) => on(changed, isBad));
  if (!isHeard && /^\(\(.*(\+\+|--|=)/.test(name)) return [on(state, false)];
  const truth = testHolds(command.words, state.vars, state.lastIsBad);
  if (truth === undefined) return undefined;
  return (truth === "unknown" ? [true, false] : [!truth]).map((isBad) => on(state, isBad));
}

/** What is left of variables and options after a command that changes them; undefined if it changes none. */
function withVariables(
  command: CommandTree,
  words: readonly string[],
  state: State,
  text: string | undefined,
): State | undefined {
  const [name = ""] = words;
  if (name === "set") return withOptions(words, state);
  if (name === "read" || name === "unset" || name === "mapfile") return words.slice(1).reduce(without, state);
  if (!declaring.test(name)) return undefined;
  const all = command.words.slice(1).filter((word) => /^\w+=/.test(word.text));
  return assigned({ ...command, assigned: all }, state, text);
}

/** What `exit` and `return` give: the code, the last answer, or whatever a variable holds. */
function codes(command: CommandTree, code: string, { lastIsBad }: State): readonly boolean[] {
  if (code === "" || command.words[1]?.text === "$?") return [lastIsBad];
  return /^\d+$/.test(code) ? [Number(code) !== 0] : [true, false];
}

/** Follows `set -e`, `set +e`, `set -o pipefail` and their like. */
function withOptions(words: readonly string[], state: State): State {
  let { stops, hears } = state;
  for (const [at, word] of words.entries()) {
    const isOn = word.startsWith("-");
    if (!/^[-+]\w/.test(word)) continue;
    if (word.includes("e") || (word.endsWith("o") && words[at + 1] === "errexit")) stops = isOn;
    if (word.endsWith("o") && words[at + 1] === "pipefail") hears = isOn;
  }
  return { ...state, stops, hears };
}
