// Checks of what was deployed that end without a verdict: a loop of attempts that simply ends, an answer that is only
// printed, a request that succeeds on every status.
import type { BlindCheck } from "./blind-checks.ts";
import type { StepNode } from "./nodes.ts";
import { isCheckStep, isProbe, stepTitle } from "./roles.ts";
import { charactersMax, commandsIn, isListing, type ShellCommand } from "./shell.ts";

const checkTitle = /smoke|health|verif|check|validat|\btest/i;
const decides = /exit [1-9]|exit "?\$|return 1|(?:^|[;&|]|\b(?:then|else|do)\b)\s*false\s*(?:$|[;&|])|--retry/m;

/** Gives what a step asks without ever failing; at most one. */
export function checksWithoutVerdict(step: StepNode): readonly BlindCheck[] {
  const written = step.run?.text ?? "";
  if (written === "" || written.length > charactersMax) return [];
  const script = withoutLists(written);
  if (decides.test(script)) return [];
  const isTitled = checkTitle.test(stepTitle(step));
  if (!isTitled && !isCheckStep(step)) return [];
  const probe = commandsIn(script).find(isProbe);
  const line = probe?.line ?? lineOfAnswer(script);
  if (line === undefined) return [];
  if (/\b(for|while|until)\b/.test(script) && /\bbreak\b|exit 0|\bcontinue [2-9]|\buntil\b[^\n;]*\|\|/.test(script))
    return [{ line, message: "tries in a loop, and succeeds also if every attempt failed" }];
  if (!isTitled) return [];
  if (probe === undefined || probe.isCondition)
    return onlySaid(script) ? [{ line, message: "asks, and only prints what it finds" }] : [];
  return succeedsAlways(script, probe)
    ? [{ line, message: `calls "${probe.words.join(" ")}", which succeeds on every answer, also on a status of 500` }]
    : [];
}

/** The line on which an answer of the deployed is put into a variable. */
function lineOfAnswer(script: string): number | undefined {
  const at = script.search(/\b\w+="?\$\(\s*(curl|wget|kubectl|oc|aws (ecs|deploy|elbv2|lambda|apprunner)|az \w+app) /);
  return at === -1 ? undefined : script.slice(0, at).split("\n").length - 1;
}

const saying = /^(echo|printf|sleep|else|fi|done|for|set|:|true|exit|\]|cat|head|tail|jq|export)$/;

/** Whether a script compares the answer, and does nothing with the result that could fail or be read. */
const onlySaid = (script: string): boolean =>
  !/GITHUB_(OUTPUT|ENV)|set-output/.test(script) &&
  !/\$\(\s*curl\b(?=[^)|]*\s(-\w*f\w*|--fail)\b)[^|]*?\)/.test(script) &&
  commandsIn(script).every((each) => each.isCondition || saying.test(each.words[0] ?? "") || isListing(each));

/** The values of a list are no commands. Its lines stay, so that the others keep their numbers. */
const withoutLists = (script: string): string =>
  script.replaceAll(
    /^([ \t]*\w+)=\(([^()]*)\)/gm,
    (_whole, name: string, values: string) => `${name}=list${values.replaceAll(/[^\n]/g, "")}`,
  );

/** Whether a script only requests, and takes every status for success. */
function succeedsAlways(script: string, { words }: ShellCommand): boolean {
  const isPlain = commandsIn(script).every((each) => isProbe(each) || /^(echo|sleep)$/.test(each.words[0] ?? ""));
  const line = words.join(" ");
  return isPlain && words[0] === "curl" && !/ -\w*f| --fail/.test(line) && !/-w|--write-out/.test(line);
}
