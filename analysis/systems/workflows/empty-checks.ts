// Checks in name only: a step that promises a check, asks nothing, and either writes a fixed answer for later jobs or
// prints that all is well. What stands behind it believes an answer that was written before the question.
import type { BlindCheck } from "./blind-checks.ts";
import type { StepNode } from "./nodes.ts";
import { stepTitle } from "./roles.ts";
import { charactersMax, commandsIn, isListing, type ShellCommand } from "./shell.ts";
import { commandsOf, treeOf } from "./shell-tree.ts";

const judging = /\b(check\w*|verify|verif(?:ies|ication)|validat\w*|gates?|smoke|health)\b/i;
const otherNames =
  "summary report notif changed out version environment input skip mode complete passed failed result status" +
  " instruction manual remind";
/** A title that orders a check is one, whatever it is about. */
const orders = /^\W*(verify|check|validate|ensure|confirm)\b/i;
const notTold = /notif|summary|report|comment|manual|instruction|remind|skip/i;
const otherPurpose = new RegExp(String.raw`\b(${otherNames.replaceAll(" ", "|")})`, "i");
/** An order to check what somebody chose, and an expression that reads it. */
const ofInputs = /^\W*(validate|verify|check)\b.*(input|parameter|version|tag|request)/i;
const readsInputs = /\$\{\{\s*(github\.event\.)?inputs\./;
const saysYes = /^echo \w+=(true|yes|success|passed|ok)\b.*GITHUB_OUTPUT/;
const saysWell = /pass(ed|es)?\b|success|healthy|all good|verified|✅|\bok\b/i;

/** Gives the check that a step promises and does not make; at most one. */
export function emptyChecks(step: StepNode): readonly BlindCheck[] {
  const script = step.run?.text ?? "";
  const title = stepTitle(step);
  if (script === "" || script.length > charactersMax || step.condition !== undefined) return [];
  const isOrder = orders.test(step.title?.text ?? "") && !notTold.test(title);
  if (!isOrder && (!judging.test(title) || otherPurpose.test(title))) return [];
  if (/\$\((?!date\b)|`|^\s*(if|while|until|case)\b/m.test(script)) return [];
  const commands = commandsIn(script);
  const listed = onlyLists(title, script, commands);
  if (listed) return [listed];
  const said = onlySaid(script);
  const yes = said.find(({ text }) => saysYes.test(text));
  if (yes) return [{ line: yes.line, message: "asks nothing and always answers yes" }];
  const input =
    isOrder && ofInputs.test(step.title?.text ?? "") ? said.find(({ text }) => readsInputs.test(text)) : undefined;
  if (input) return [{ line: input.line, message: "asks nothing and only prints the inputs" }];
  const well = said.find(({ text }) => saysWell.test(text) && !/GITHUB_/.test(text));
  return well ? [{ line: well.line, message: "asks nothing and prints that all is well" }] : [];
}

/** Gives what a script prints, if that is all that it does. */
function onlySaid(script: string): readonly { readonly line: number; readonly text: string }[] {
  const tree = treeOf(script);
  const all = tree ? commandsOf(tree) : [];
  if (!all.every(({ words }) => /^(echo|printf|sleep|date|:|)$/.test(words[0]?.text ?? ""))) return [];
  return all.map(({ words, redirected, line }) => ({
    line,
    text: [...words, ...redirected].map(({ text }) => text).join(" "),
  }));
}

/** A test of what was deployed that only lists it: pods that crash are listed, too. */
function onlyLists(title: string, script: string, commands: readonly ShellCommand[]): BlindCheck | undefined {
  const first = commands.find(isListing);
  if (first === undefined || !/smoke|health|\btests?\b/i.test(title) || /grep|jq|test |\[/.test(script))
    return undefined;
  const isIdle = commands.every(
    (each) => isListing(each) || /^(echo|printf|sleep|cd|set|export|:)$/.test(each.words[0]!),
  );
  return isIdle ? { line: first.line, message: "only lists what is there, in whatever state it is" } : undefined;
}
