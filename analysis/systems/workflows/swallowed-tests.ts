// Tests and questions to what was deployed whose failure their own script swallows, in bash and in PowerShell.
import type { BlindCheck } from "./blind-checks.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { unreadAnswers } from "./powershell.ts";
import { isCheckStep, isOfRunner, isProbe, stepTitle } from "./roles.ts";
import { charactersMax, type Worded } from "./shell.ts";
import { isPowerShell, sessionOf, shellScriptOf } from "./shell-options.ts";
import type { CommandTree } from "./shell-tree.ts";
import { swallowedCommands } from "./swallowed-commands.ts";
import { isTest } from "./tests.ts";

const judging = /\b(smoke|health\w*|verif\w*|check\w*|validat\w*|tests?|testing|gates?|e2e|acceptance|integration)\b/i;
const otherPurpose =
  /set ?up|install|report|upload|summar|notif|clean|prepare|debug|info|logs|diagnos|optional|advisory/i;
const ownScript = new RegExp(
  String.raw`^((bash|sh|python3?|node|ruby|pwsh) )?\.{0,2}\/?[\w./-]+\.(sh|py|js|mjs|ts|rb)\b|` +
    String.raw`^(make|just|task|npm run|yarn|pnpm( run)?) [\w:.-]*(test|check|smoke|verify|valid|health|lint)`,
);

/**
 * Gives the tests of a step that cannot fail it, and after a deployment also its questions to what was deployed. What a
 * step asks before the line on which it deploys itself is left out.
 */
export function swallowedTests(job: JobNode, step: StepNode, looksBack: boolean, from = 0): readonly BlindCheck[] {
  const text = step.run?.text ?? "";
  if (isPowerShell(job, step)) {
    const isAsked = (command: Worded): boolean => isQuestion(step, looksBack, false, command);
    return unreadAnswers(text, isAsked).map(({ line, words, how }) => ({ line, message: `"${words}" ${how}` }));
  }
  return [shellScriptOf(job, step), sessionOf(step)].flatMap((found) => {
    if (found === undefined || found.script.text.length > charactersMax || isBeyond(found.script.text)) return [];
    const { script, options, isRemote } = found;
    const isAsked = (command: Worded): boolean => isQuestion(step, looksBack, isRemote, command);
    return swallowedCommands(script.text, options, isAsked, passesOn(step))
      .filter(({ line }) => line >= from)
      .map(({ line, words, how }) => ({ line, script, message: `"${words.join(" ")}" ${how}` }));
  });
}

/** Whether a command of a step is a test, or a question to what was deployed. */
function isQuestion(step: StepNode, looksBack: boolean, isRemote: boolean, command: Worded): boolean {
  const line = command.words.join(" ");
  const title = stepTitle(step);
  const isJudging = judging.test(title) && !otherPurpose.test(title);
  if (/\baudit\b/.test(line)) return false;
  if (isTest(command) || (isJudging && ownScript.test(line))) return true;
  if (!isProbe(command)) return false;
  if (isRemote) return looksBack;
  return isCheckStep(step) && (looksBack || (isJudging && !isOfRunner(command)));
}

/** What is not followed: the answers of all commands of a pipe, traps, and outputs of several commands at once. */
export const isBeyond = (script: string): boolean =>
  /PIPESTATUS|\btrap\b[^\n]*\b(ERR|exit)\b|::set-output|\}\s*>>?\s*"?\$\{?GITHUB_(OUTPUT|ENV)/.test(script);

/** Whether a command passes on what it is given. The outputs of a step without an id are read by nobody. */
export const passesOn =
  ({ key, via }: StepNode) =>
  ({ redirected, words }: CommandTree): boolean => {
    const isOut = (name: string): boolean => [...redirected, ...words].some(({ text }) => text.includes(name));
    return isOut("GITHUB_ENV") || ((key !== undefined || via !== undefined) && isOut("GITHUB_OUTPUT"));
  };

/** Whether a script passes on anything. */
export const tells = (step: StepNode, script: string): boolean => {
  const isRead = step.key !== undefined || step.via !== undefined;
  return isBeyond(script) || /GITHUB_ENV/.test(script) || (isRead && /GITHUB_OUTPUT/.test(script));
};
