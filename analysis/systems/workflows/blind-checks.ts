// Checks in a script that look at something and pass whatever they see: a query whose failure counts as zero, and a
// comparison with the committed files whose result nothing reads. They are found in the text of the script, because
// what they miss is an exit code.
import type { StepNode } from "./nodes.ts";
import { stepTitle } from "./roles.ts";
import { commandsIn } from "./shell.ts";

/** A check that passes without having seen anything. */
export interface BlindCheck {
  /** The line of the script, from 0. */
  readonly line: number;
  readonly message: string;
}

/** Longer scripts are generated, and scanning them takes too long. */
const charactersMax = 20_000;

/** Gives the checks of a step that cannot find anything. */
export function blindChecks(step: StepNode): readonly BlindCheck[] {
  const script = step.run?.text ?? "";
  return script.length > charactersMax ? [] : [...zeroIfUnread(script), ...unreadDiff(step, script)];
}

const fallback = /\b(\w+)="?\$\(([^\n]*(?:\\\n[^\n]*)*?)\|\|\s*echo\s+["']?0(?:\.0+)?["']?\s*\)/g;
const asksElsewhere = /\b(curl|wget|aws|az|gcloud|kubectl|promtool|gh|http)\s/;

/** A number of failures that is 0 if the query fails, and is then compared with a limit. */
function zeroIfUnread(script: string): readonly BlindCheck[] {
  return [...script.matchAll(fallback)].flatMap(({ index, 1: name = "", 2: query = "" }) => {
    const isLimited = new RegExp(String.raw`\$\{?${name}\b\}?["']?\s*(>|-g[te]\b)`).test(script.slice(index));
    if (!isLimited || !asksElsewhere.test(query) || !/exit [1-9]|roll-?back/i.test(script)) return [];
    const line = script.slice(0, index).split("\n").length - 1;
    return [{ line, message: `counts a failed query as 0, so ${name} stays below every limit` }];
  });
}

const comparing = /check|verif|ensure|uncommitted|up.to.date|drift|in sync|clean tree/i;

/** `git diff` succeeds whether there are differences or not. */
function unreadDiff(step: StepNode, script: string): readonly BlindCheck[] {
  if (!comparing.test(stepTitle(step))) return [];
  const last = commandsIn(script).at(-1);
  const words = last?.words.join(" ") ?? "";
  if (last === undefined || last.isCondition || !/^git (diff|status)\b/.test(words)) return [];
  if (/--exit-code|--quiet|--check| -\w*q/.test(words)) return [];
  return [{ line: last.line, message: `ends with "${words}", which succeeds whether it finds a difference or not` }];
}
