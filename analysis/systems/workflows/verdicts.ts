// Checks of what was deployed that end without a verdict: the script is followed with every answer that what was
// deployed may give, and it ends well on every path. A loop of attempts simply ends, an answer is only printed, or a
// request succeeds on every status.
import type { BlindCheck } from "./blind-checks.ts";
import type { JobNode, StepNode } from "./nodes.ts";
import { isCheckStep, isProbe, stepTitle } from "./roles.ts";
import { charactersMax, isListing } from "./shell.ts";
import { shellScriptOf } from "./shell-options.ts";
import { canFail } from "./shell-run.ts";
import { type CommandTree, commandsOf, type ShellTree, treeOf } from "./shell-tree.ts";
import { isQuiet, wordsOf } from "./swallowed-commands.ts";
import { tells } from "./swallowed-tests.ts";

const checkTitle = /smoke|health|verif|check|validat|\btest|monitor|acceptance|sanity/i;
const asksState = new RegExp(
  String.raw`^(kubectl|oc|aws (ecs|deploy|elbv2|lambda|apprunner|cloudformation)|az \w+(app)?|gcloud|fly|flyctl|` +
    String.raw`helm|docker|vercel|heroku) .*(get|describe\S*|show|status|list\S*|ps|inspect|logs)\b`,
);

/** Gives what a step asks without ever failing, from a line of its script on; at most one. */
export function checksWithoutVerdict(job: JobNode, step: StepNode, from = 0): readonly BlindCheck[] {
  const found = shellScriptOf(job, step);
  if (found === undefined || found.script.text.length > charactersMax || tells(step, found.script.text)) return [];
  const isTitled = checkTitle.test(stepTitle(step));
  const tree = isTitled || isCheckStep(step) ? treeOf(found.script.text) : undefined;
  const isAsked = (command: CommandTree): boolean => command.line >= from && asks(command);
  const probe = tree && commandsOf(tree).find(isAsked);
  if (tree === undefined || probe === undefined || commandsOf(tree).some(acts)) return [];
  const heard = canFail(tree, { options: found.options, isAsked, answer: answerOf });
  if (heard !== false) return [];
  const isLoop = hasLoop(tree);
  if (!isTitled && !isLoop) return [];
  return [{ line: probe.line, script: found.script, message: messageOf(probe, isLoop, commandsOf(tree)) }];
}

const asks = (command: CommandTree): boolean => {
  const words = wordsOf(command);
  return isProbe({ words }) || onlyAsksState(words);
};

const onlyAsksState = (words: readonly string[]): boolean =>
  asksState.test(words.join(" ")) && !/ (--)?(wait|watch|exit-code|exit-status|fail)\b/.test(words.join(" "));

/** What a command answers if what was deployed is broken: curl without an option takes every status for success. */
function answerOf(command: CommandTree): "good" | "either" {
  const words = wordsOf(command);
  const line = words.join(" ");
  if (words[0] === "curl") return / -\w*f| --fail|--retry/.test(line) ? "either" : "good";
  if (isProbe({ words })) return "either";
  return isQuiet({ words }) || onlyAsksState(words) ? "good" : "either";
}

/** Whether a command changes something, such as going back or telling a platform. */
const acts = (command: CommandTree): boolean => {
  const words = wordsOf(command);
  return !isQuiet({ words }) && /roll-?back|revert|undo|restart|issue create|run cancel/i.test(words.join(" "));
};

function hasLoop(tree: ShellTree): boolean {
  if (tree.is === "for" || tree.is === "while" || tree.is === "until") return true;
  if (tree.is === "list" || tree.is === "pipe" || tree.is === "case") return tree.of.some(hasLoop);
  if (tree.is === "and" || tree.is === "or") return hasLoop(tree.left) || hasLoop(tree.right);
  if (tree.is === "if") return hasLoop(tree.then) || (tree.otherwise !== undefined && hasLoop(tree.otherwise));
  return (tree.is === "subshell" || tree.is === "background") && hasLoop(tree.of);
}

function messageOf(probe: CommandTree, isLoop: boolean, all: readonly CommandTree[]): string {
  if (isLoop) return "tries in a loop, and succeeds also if every attempt failed";
  const decides = all.some(({ words }) => /^(\[|\[\[|test|grep)$/.test(words[0]?.text ?? ""));
  return decides || isListing({ words: wordsOf(probe) })
    ? "asks, and only prints what it finds"
    : `calls "${wordsOf(probe).join(" ")}", which succeeds on every answer, also on a status of 500`;
}
