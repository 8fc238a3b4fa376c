// Tests and questions to what was deployed whose failure their own script swallows, in bash and in PowerShell.
import type { BlindCheck } from "./blind-checks.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { unreadAnswers } from "./powershell.ts";
import { isCheckStep, isOfRunner, isProbe, isTest, stepTitle } from "./roles.ts";
import { charactersMax, type Worded } from "./shell.ts";
import { isPowerShell, shellScriptOf } from "./shell-options.ts";
import { swallowedCommands } from "./swallowed-commands.ts";

const judging = /\b(smoke|health\w*|verif\w*|check\w*|validat\w*|tests?|testing|gates?|e2e|acceptance|integration)\b/i;
const otherPurpose =
  /set ?up|install|report|upload|summar|notif|clean|prepare|debug|info|logs|diagnos|optional|advisory/i;
const ownScript =
  /^((bash|sh|python3?|node|ruby|pwsh) )?\.{0,2}\/?[\w./-]+\.(sh|py|js|mjs|ts|rb)\b|^(make|just|task|npm run|yarn|pnpm( run)?) [\w:.-]*(test|check|smoke|verify|valid|health|lint)/;

/**
 * Gives the tests of a step that cannot fail it, and after a deployment also its questions to what was deployed. What a
 * step asks before the line on which it deploys itself is left out.
 */
export function swallowedTests(job: JobNode, step: StepNode, looksBack: boolean, from = 0): readonly BlindCheck[] {
  const found = shellScriptOf(job, step);
  const title = stepTitle(step);
  const isJudging = judging.test(title) && !otherPurpose.test(title);
  const isAsked = (command: Worded): boolean => {
    const line = command.words.join(" ");
    if (/\baudit\b/.test(line)) return false;
    if (isTest(command) || (isJudging && ownScript.test(line))) return true;
    if (!isProbe(command)) return false;
    if (found?.isRemote) return looksBack;
    return isCheckStep(step) && (looksBack || (isJudging && !isOfRunner(command)));
  };
  const text = step.run?.text ?? "";
  if (isPowerShell(job, step))
    return unreadAnswers(text, isAsked).map(({ line, words, how }) => ({ line, message: `"${words}" ${how}` }));
  if (found === undefined || found.script.text.length > charactersMax || tells(step, found.script.text)) return [];
  const { script, options } = found;
  return swallowedCommands(script.text, options, isAsked)
    .filter(({ line }) => line >= from)
    .map(({ line, words, how }) => ({ line, script, message: `"${words.join(" ")}" ${how}` }));
}

/** Whether a script passes on what it found. The outputs of a step without an id are read by nobody. */
export const tells = ({ key, via }: StepNode, script: string): boolean =>
  /GITHUB_ENV|PIPESTATUS|\btrap\b[^\n]*\b(ERR|exit)\b/.test(script) ||
  ((key !== undefined || via !== undefined) && /GITHUB_OUTPUT|set-output/.test(script));
