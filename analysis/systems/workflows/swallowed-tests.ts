// Tests whose failure a script swallows: by `|| true` behind them or behind the pipe that they are in, by `set +e`
// before them, or by an `if` that only prints.
import type { BlindCheck } from "./blind-checks.ts";
import type { StepNode } from "./nodes.ts";
import { isCheckStep, isProbe, isTest } from "./roles.ts";
import { charactersMax, commandsIn, type ShellCommand } from "./shell.ts";

/** Gives the tests of a step that cannot fail it, and after a deployment also its questions to what was deployed. */
export function swallowedTests(step: StepNode, isAfterDeployment: boolean): readonly BlindCheck[] {
  const script = step.run?.text ?? "";
  if (script.length > charactersMax) return [];
  const commands = commandsIn(script);
  const hearsPipes = step.shell !== undefined || /pipefail|PIPESTATUS/.test(script);
  return commands.flatMap((command, at) => {
    const judges = isTest(command) || (isAfterDeployment && isProbe(command) && isCheckStep(step));
    const line = command.words.join(" ");
    if (!judges || /^(npm|pip) audit|npm audit/.test(line)) return [];
    // The script ends with a failure in any case: the command shows why.
    if (isProbe(command) && /^exit [1-9]/.test(commands.at(-1)!.words.join(" "))) return [];
    const how =
      ignored(commands, at) ??
      (hearsPipes ? undefined : lostInPipe(commands, at)) ??
      (isTest(command) ? unheard(script, commands, at) : undefined);
    return how === undefined ? [] : [{ line: command.line, message: `"${line}" ${how}` }];
  });
}

const isIgnoring = ({ words }: ShellCommand): boolean =>
  /^(true|:|echo|printf|exit 0)$/.test(words[0] === "exit" ? words.join(" ") : (words[0] ?? ""));

/** Says how a command is ignored: it, or the pipe that it begins, has something behind `||` that always succeeds. */
export function ignored(commands: readonly ShellCommand[], at: number): string | undefined {
  let last = at;
  while (commands[last]?.next === "|") last += 1;
  const [end, then] = [commands[last], commands[last + 1]];
  if (commands[at]!.isCondition || end?.next !== "||" || then === undefined || !isIgnoring(then)) return undefined;
  return `is followed by "|| ${then.words.join(" ")}"`;
}

/** A command that is piped to one that always succeeds: without pipefail only the last one counts. */
function lostInPipe(commands: readonly ShellCommand[], at: number): string | undefined {
  const { next, isCondition } = commands[at]!;
  const then = commands[at + 1];
  if (next !== "|" || isCondition || then === undefined || then.next === "|") return undefined;
  const [name = ""] = then.words;
  return /^(tee|cat|head|tail|sed|ts)$/.test(name)
    ? `goes through a pipe to "${name}", and the runner's own shell asks only the last command of a pipe`
    : undefined;
}

/** Whether something in a script can tell the result: an exit code, a variable, an output. */
const tells = /\bexit (?!0\b)|\breturn\b|\bfalse\b|\$\?|PIPESTATUS|GITHUB_(OUTPUT|ENV)|set-output|^\s*\w+=|\bset -e/m;

/** A command in a condition that only leads to words, or one after `set +e` with another command behind it. */
function unheard(script: string, commands: readonly ShellCommand[], at: number): string | undefined {
  if (tells.test(script)) return undefined;
  const { isCondition, next } = commands[at]!;
  if (isCondition)
    return commands.every((each) => each.isCondition || isSaying(each)) ? "decides only what is printed" : undefined;
  const stops = commands.findIndex(({ words }) => words.join(" ") === "set +e");
  const isLast = at === commands.length - 1 || next === "|";
  return stops !== -1 && stops < at && !isLast && next === ";"
    ? 'stands after "set +e" and is not the last command'
    : undefined;
}

const isSaying = ({ words }: ShellCommand): boolean => /^(echo|printf|fi|else|:|true|cat)$/.test(words[0] ?? "");
