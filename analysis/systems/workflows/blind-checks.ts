// Checks in a script that look at something and pass whatever they see: a query whose failure counts as zero, a
// comparison with the committed files whose result nothing reads, and a container that is started and not asked. They
// are found in the text of the script, because what they miss is an exit code.
import type { Text } from "../../place.ts";
import type { StepNode } from "./nodes.ts";
import { stepTitle } from "./roles.ts";
import { charactersMax, commandsIn } from "./shell.ts";

/** A check that passes without having seen anything. */
export interface BlindCheck {
  /** The line of the script, from 0. */
  readonly line: number;
  readonly message: string;
  /** The script, if it is not the step's own but one that it gives to an action. */
  readonly script?: Text;
}

/** Gives the checks of a step that cannot find anything. */
export function blindChecks(step: StepNode): readonly BlindCheck[] {
  const script = step.run?.text ?? "";
  return script.length > charactersMax
    ? []
    : [...zeroIfUnread(script), ...unreadDiff(step, script), ...unaskedContainer(step, script)];
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

const trying = /\b(test|smoke|verif\w*|check|health)\b/i;
const looksOnly =
  /^(docker( container)? (ps|ls|logs|rm|stop|kill|images)|docker[ -]compose (ps|logs|down|stop)|sleep|echo|cd|set)\b/;

/** A container that is started in the background, looked at and removed: a crash after the start changes nothing. */
function unaskedContainer(step: StepNode, script: string): readonly BlindCheck[] {
  if (!trying.test(stepTitle(step))) return [];
  const commands = commandsIn(script);
  const start = commands.find(({ words }) => /^docker run( \S+)* (-\w*d\w*|--detach)\b/.test(words.join(" ")));
  if (start === undefined || !commands.some(({ words }) => /^docker( container)? logs/.test(words.join(" "))))
    return [];
  const others = commands.filter((each) => each !== start);
  if (!others.every(({ words, next }) => looksOnly.test(words.join(" ")) && next !== "|")) return [];
  return [{ line: start.line, message: "starts a container and never asks whether it still runs" }];
}

/** Gives the exit code that a scanner is told to have, if it is 0 and no report of it can be read elsewhere. */
export function exitCodeOfScan(step: StepNode): Text | undefined {
  const inputs = new Map(step.with.map(({ key, value }) => [key.text, value]));
  const told = inputs.get("exit-code");
  if (!/^aquasecurity\/trivy-action@/.test(step.uses?.text ?? "") || told?.text !== "0") return undefined;
  return inputs.has("output") || inputs.get("format")?.text === "sarif" ? undefined : told;
}
