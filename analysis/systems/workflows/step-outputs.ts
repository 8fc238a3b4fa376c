// Which outputs a step can have, as far as the files say: those that its script writes by name, and those that a local
// composite action declares. Most steps can have any, because a program or an action of others may write them.
import type { ActionNode, StepNode } from "./nodes.ts";
import { withoutFilter } from "./path-filters.ts";
import { charactersMax, commandsIn } from "./shell.ts";

/** Says why a step never has an output of a name; undefined if it may have it. */
export function withoutOutput(step: StepNode, name: string, actions: readonly ActionNode[]): string | undefined {
  const action = actionOf(step, actions);
  if (action !== undefined)
    return action.outputs.some(({ key }) => isSame(key.text, name))
      ? undefined
      : `the action ${action.name} of step ${step.key} declares no output ${name}`;
  if (step.run === undefined || step.uses !== undefined) return withoutFilter(step, name);
  const script = step.run.text;
  if (writes(script, name)) return undefined;
  const twin = name.includes("-") ? name.replaceAll("-", "_") : name.replaceAll("_", "-");
  if (twin !== name && script.length <= charactersMax && writes(script, twin) && /GITHUB_OUTPUT/.test(script))
    return `the script of step ${step.key} writes ${twin}`;
  if (mayWriteAny(script)) return undefined;
  return `the script of step ${step.key} writes ${written(script)}`;
}

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

function actionOf({ uses }: StepNode, actions: readonly ActionNode[]): ActionNode | undefined {
  const path = /^(?:\.|\$)\/(.+?)\/?$/.exec(uses?.text ?? "")?.[1];
  return path === undefined ? undefined : actions.find(({ file }) => file.replace(/\/action\.ya?ml$/, "") === path);
}

/** Programs that cannot write an output of the step, whatever they do. */
const silent = new Set(
  (
    "echo printf cd export set mkdir cp mv rm touch chmod ls pwd sleep true test if fi else done for while read " +
    "exit git curl wget docker docker-compose kubectl helm az aws gcloud gh fly flyctl vercel netlify wrangler " +
    "jq grep sed awk cut tr head tail sort wc date zip unzip tar rsync scp ssh cat tee local return break " +
    "continue until shift : [ [[ } {"
  ).split(" "),
);

/** Whether a program, a here document or a computed name may write an output that the script does not spell out. */
function mayWriteAny(script: string): boolean {
  if (script.length > charactersMax) return true;
  const commands = commandsIn(script);
  if (commands.some(({ words }) => !silent.has(words[0] ?? "") && !/^[\w.-]+\+?=/.test(words[0] ?? ""))) return true;
  if (/\$\(\s*(node|python3?|ruby|make|npm|pnpm|yarn|npx|bash|sh|source|\.?\.?\/)/.test(script)) return true;
  return script.split("\n").some((line) => /GITHUB_OUTPUT|set-output/.test(line) && !isSpelledOut(line, script));
}

/** A line that writes one output by its name, or a line of a value that a named one begins. */
const isSpelledOut = (line: string, script: string): boolean =>
  /(echo|printf)\s+(-[neE]+\s+)?["']?[\w-]+(=|<<)[^\n]*GITHUB_OUTPUT/.test(line) ||
  /::set-output name=[\w-]+::/.test(line) ||
  (/["'\s][\w-]+<<["'\w]/.test(script) && /^\s*echo\s+["']?(\w+|\$\w+|\$\{\w+\})["']?\s*>>/.test(line));

const writes = (script: string, name: string): boolean =>
  new RegExp(String.raw`(^|[^\w-])${name}(=|<<|::)`, "im").test(script);

function written(script: string): string {
  const names = [...script.matchAll(/(?:name=|(?:echo|printf)\s+(?:-[neE]+\s+)?["']?)([\w-]+)(?:=|<<|::)/g)].map(
    (match) => match[1]!,
  );
  const unique = [...new Set(names)].filter((each) => /GITHUB_OUTPUT|set-output/.test(script) && each !== "name");
  return unique.length === 0 ? "no output" : `only ${unique.join(", ")}`;
}
