// What a step changes outside of its run: which app, stack, package or branch, and how. It knows the common actions
// and commands by name; `effect-actions.ts` and `effect-commands.ts` list them. A step whose effect is inferred from
// its name only is not reported here, because a false effect would make every rule wrong.
import type { Known, Place, Text } from "../../place.ts";
import { lineOf } from "../../place.ts";
import { type ActionEffect, actionEffects, type Verb } from "./effect-actions.ts";
import { commandEffects } from "./effect-commands.ts";
import type { CommandEffect } from "./effect-undo.ts";
import type { StepNode } from "./nodes.ts";
import { answersIn, charactersMax, commandsIn, type ShellCommand } from "./shell.ts";

/** A change that a step makes. */
export interface Effect {
  readonly step: StepNode;
  readonly verb: Verb;
  readonly category: string;
  /** The target's name as written; undefined if the step does not say. */
  readonly named: string | undefined;
  readonly place: Place;
  readonly known: Known;
  /** Whether a second run beside it is harmless: the platform serialises, or the change is one atomic replacement. */
  readonly isAtomic: boolean;
  readonly command: ShellCommand | undefined;
}

/** Verbs that change what users run or what data they have. */
export const deploying: ReadonlySet<Verb> = new Set(["deploy", "traffic", "migrate"]);
/** Verbs that make something final that others use. */
export const shipping: ReadonlySet<Verb> = new Set(["deploy", "traffic", "migrate", "publish", "release"]);

/** Gives the effects of a step, in order. If nothing in it is known, its own name may say that it deploys. */
export function effectsOf(step: StepNode): readonly Effect[] {
  const found = step.uses ? ofAction(step, step.uses.text) : ofScript(step);
  return found.length > 0 ? found : byName(step);
}

function ofScript(step: StepNode): readonly Effect[] {
  if (step.run === undefined) return [];
  const { run } = step;
  const commands = [...commandsIn(run.text), ...answersIn(run.text)];
  const found = commands
    .toSorted((one, other) => one.line - other.line)
    .flatMap((command) => ofLocalScript(step, command, run) ?? ofCommand(step, command, run));
  return addsManifest.test(run.text) || editsManifest.test(run.text) ? found.map(asManifest) : found;
}

/**
 * A commit of what a cluster is told to run: whoever watches the branch deploys it. JSON is a manifest of something
 * else, such as a browser's extension, and Markdown tells of a chart.
 */
const addsManifest = new RegExp(
  String.raw`^\s*git add (?:\S+ )*?(?!\S*\.(?:json|md)["']?(?:\s|$))\S*` +
    String.raw`\b(k8s|kubernetes|kustomization|manifests?|helm|charts?|overlays?|argocd|gitops|values)\b`,
  "m",
);
const editsManifest = new RegExp(
  String.raw`kustomize edit set image|^\s*(?:yq|sed) [^\n]*-i[^\n]*` +
    String.raw`\b(?:values|deployment|kustomization|manifests?)\b[\w./-]*\.ya?ml`,
  "m",
);
const asManifest = (effect: Effect): Effect =>
  effect.verb === "push" ? { ...effect, verb: "deploy", category: "gitops", isAtomic: true } : effect;

/**
 * Gives the effect of a job that is called "Deploy …" and in which nothing is known: that of its last step with a
 * secret. Without a secret nothing outside can be changed.
 */
export function effectByJob(title: string, steps: readonly StepNode[]): readonly Effect[] {
  if (!/(^|[^a-z])deploy([^a-z]|$)/i.test(title) || otherName.test(title)) return [];
  const isIdle = (each: StepNode): boolean =>
    quietAction.test(each.uses?.text ?? "") ||
    connects.test(each.uses?.text ?? "") ||
    otherName.test(each.title?.text ?? each.name);
  const login = steps.findIndex(({ uses }) => signsIn.test(uses?.text ?? ""));
  const runsOwn = ({ run }: StepNode): boolean =>
    commandsIn(run?.text ?? "").some(({ words }) => ownScript.test(words.join(" ")));
  const step =
    steps.findLast((each) => usesSecret(each) && !isIdle(each) && !signsIn.test(each.uses?.text ?? "")) ??
    (login === -1 ? undefined : steps.slice(login + 1).findLast((each) => runsOwn(each) && !isIdle(each)));
  return step ? [inferredEffect(step, 0.7)] : [];
}

/** Actions that open a way to somewhere, or sign in there: what uses it is another step. */
const connects = /^(tailscale\/|wireguard|kota65535\/|webfactory\/ssh-agent|shimataro\/ssh-key-action)/i;
const signsIn = /^(aws-actions\/configure-aws-credentials|azure\/login|google-github-actions\/auth)@/i;
/** A program of the repository, called by its path. */
const ownScript = /^((bash|sh|python3?|node) )?(\.{1,2}\/)?[\w.-]+(\/[\w.-]+)*\.(sh|py|js|mjs|ts)( |$)/;

const usesSecret = ({ env, with: inputs, run }: StepNode): boolean =>
  [...env, ...inputs].some(({ value }) => secret.test(value.text)) || secret.test(run?.text ?? "");
const secret = /secrets\.(?!GITHUB_TOKEN)\w+/;

/** The title of a step that says that it deploys. */
export const deployName = /^\W*(re-?)?deploy(ing|s)?\b(?!ment)/i;
const otherNames =
  "dry preview plan test notif doc status info summary check verif wait artifact token key config prepare " +
  "download login";
const otherName = new RegExp(otherNames.replaceAll(" ", "|"), "i");
const quietAction = /^(actions\/|\.\/|docker\/|slackapi\/|github\/)/i;

/** Commands that change nothing outside, whatever the step is called. */
const idle =
  /^((echo|printf|cd|export|set|:|true|exit|sleep|test|\[|\[\[|fi|else|done|cat|ls)( |$)|git (checkout|fetch) )/;

/** The title of a step that lets a platform deploy, by a call of an address that is its own. */
const triggerName = /^\W*(trigger|start|request|kick off|call|initiate|perform)\b.*\b(re-?)?deploy(ment|s)?\b/i;
const callsAddress =
  /^(curl|wget|http|https) (?!.*api\.github\.com)(.*(-X|--request)[ =]?(POST|GET|PUT)|.*secrets\.|\S*\$\{?\w)/;

/** A step that is called "Deploy …" and does something that is not known. Names are evidence, not proof. */
function byName(step: StepNode): readonly Effect[] {
  const title = step.title?.text ?? "";
  if (triggerName.test(title) && !otherName.test(title)) {
    const calls = commandsIn(step.run?.text ?? "").some(({ words }) => callsAddress.test(words.join(" ")));
    return calls ? [inferredEffect(step, 0.75)] : [];
  }
  if (!deployName.test(title) || otherName.test(title)) return [];
  const does =
    step.uses === undefined
      ? commandsIn(step.run?.text ?? "").some(({ words }) => !idle.test(words.join(" ")))
      : !quietAction.test(step.uses.text);
  return does ? [inferredEffect(step, 0.75)] : [];
}

const inferredEffect = (step: StepNode, confidence: number): Effect => ({
  step,
  verb: "deploy",
  category: "app",
  named: undefined,
  place: step.run?.place ?? step.uses?.place ?? step.place,
  known: { inferred: confidence },
  isAtomic: false,
  command: undefined,
});

const withOf = (step: StepNode): ReadonlyMap<string, string> =>
  new Map(step.with.map(({ key, value }) => [key.text.toLowerCase(), value.text]));

function ofAction(step: StepNode, uses: string): readonly Effect[] {
  const action = uses.split("@")[0]!.toLowerCase();
  const inputs = withOf(step);
  const table: readonly Effect[] = actionEffects
    .filter((each) => each.action.test(action) && (each.when === undefined || each.when(inputs)))
    .map((each) => fromTable(step, each, named(each, inputs)));
  const found = table.length > 0 || !deployingAction.test(action) ? table : [inferredEffect(step, 0.75)];
  const nested = scriptsOf(step).flatMap((script) =>
    commandsIn(script.text).flatMap((command) => ofCommand(step, command, script)),
  );
  return nested.some(({ verb }) => shipping.has(verb) || verb === "undo") ? nested : [...found, ...nested];
}

/** An action that is not in the table and whose name says that it deploys. */
const deployingAction = new RegExp(
  String.raw`^(?!actions/|azure/|aws-actions/|google-github-actions/|superfly/|firebaseextended/|akhileshns/|\.)\S*/` +
    String.raw`(?!\S*(key|status|preview|comment|wait|delete|clean|notif|setup|check|list|get-))\S*\bdeploy(-|$|er\b)`,
);

/** Inputs of actions that hold a script, such as those of azure/cli and of SSH actions. */
const scriptInputs = new Set(["inlinescript", "script", "command", "run", "args", "exec"]);

/** Gives the scripts of a step: its own, or those that it gives to an action. */
export const scriptsOf = ({ run, with: inputs }: StepNode): readonly Text[] =>
  run ? [run] : inputs.filter(({ key }) => scriptInputs.has(key.text.toLowerCase())).map(({ value }) => value);

const named = (each: ActionEffect, inputs: ReadonlyMap<string, string>): string | undefined =>
  each.name
    ?.map((key) => inputs.get(key))
    .filter(Boolean)
    .join("/") || undefined;

const fromTable = (step: StepNode, each: ActionEffect, name: string | undefined): Effect => ({
  step,
  verb: each.verb,
  category: each.category,
  named: name,
  place: step.uses?.place ?? step.place,
  known: "structural",
  isAtomic: each.isAtomic ?? false,
  command: undefined,
});

/** A quoted script of several lines is one word of its command. */
const oneLine = ({ words }: ShellCommand): string => words.join(" ").replaceAll(/\s+/g, " ");

/** What a session on a host is told by the here document that stands behind it. */
function documentOf(line: string, command: ShellCommand, { text }: Text): readonly string[] {
  const mark = /^(?:ssh|plink) .*<<-?\s*\\?(\w+)$/.exec(line)?.[1];
  if (mark === undefined || line.length > lineMax) return [];
  const lines = text.split("\n").slice(command.line + 1);
  const end = lines.findIndex((each) => each.trim() === mark);
  return lines.slice(0, end === -1 ? lines.length : end);
}

/** What a session on a host removes before it has asked what runs there, by its here document or its last word. */
function removalsOnHost(step: StepNode, line: string, command: ShellCommand, script: Text): readonly Effect[] {
  if (!/^(ssh|plink) /.test(line)) return [];
  const lines = documentOf(line, command, script);
  const [body, from] = lines.length > 0 ? [lines.join("\n"), 1] : [command.words.at(-1)!, 0];
  if (body.length > charactersMax || !/\s/.test(body)) return [];
  const commands = commandsIn(body);
  const asked = commands.findIndex(({ words }) => /^(curl|wget)$/.test(words[0] ?? ""));
  return (asked === -1 ? commands : commands.slice(0, asked)).flatMap((inner) => {
    const each = effectOf(inner.words.join(" "));
    if (each?.verb !== "remove") return [];
    return [{ ...known(step, each, inner, script), place: lineOf(script, command.line + from + inner.line) }];
  });
}

function ofCommand(step: StepNode, command: ShellCommand, script: Text): readonly Effect[] {
  const head = withNamedSecrets(oneLine(command), step);
  const line = [head, ...documentOf(head, command, script)].join(" ").slice(0, Math.max(head.length, lineMax));
  const inner = line.length > lineMax ? undefined : insideContainer.exec(line)?.groups?.["inner"];
  // A container on the runner itself is one for tests.
  const isElsewhere = script !== step.run || line.startsWith("kubectl");
  const each =
    effectOf(line) ??
    (inner !== undefined && isElsewhere ? effectOf(inner) : undefined) ??
    (startsContainers.test(line) && isOnOtherDocker(step, command) ? onOtherDocker : undefined);
  return [
    ...(each === undefined ? [] : [known(step, each, command, script)]),
    ...removalsOnHost(step, head, command, script),
  ];
}

const startsContainers = /^docker([ -]compose (.* )?up\b| run .*(-\w*d\w*|--detach)\b| service update\b)/;
const onOtherDocker: CommandEffect = { command: startsContainers, verb: "deploy", category: "host" };

/** Whether the commands for Docker in a script are for the Docker of another machine. */
const isOnOtherDocker = ({ run, env }: StepNode, { text }: ShellCommand): boolean =>
  /\bDOCKER_HOST=["']?(ssh|tcp):/.test(text) ||
  env.some(({ key }) => key.text === "DOCKER_HOST") ||
  /^\s*(docker context use (?!default\b)|export DOCKER_HOST=)/m.test(run?.text ?? "");

const known = (step: StepNode, each: CommandEffect, command: ShellCommand, script: Text): Effect => ({
  step,
  verb: each.verb,
  category: each.category,
  named: nameIn(each, command, step),
  place: lineOf(script, command.line),
  known: each.confidence === undefined ? "structural" : { inferred: each.confidence },
  isAtomic: each.isAtomic ?? false,
  command,
});

const shippingName = /deploy|release|publish|ship|prod|live|roll-?out|roll-?back|promote|upload|infra|up\b/i;
const otherCall = /test|e2e|lint|check|build|dev|local|kind|minikube|set-?up|install|preview|dry/i;
const decidesItself = /\bcase |\$\{?1\b|kind (create|load)|minikube|localhost|127\.0\.0\.1/;

/** What a script of the repository that a command calls to ship something changes, as far as it is known. */
function ofLocalScript(step: StepNode, command: ShellCommand, script: Text): readonly Effect[] | undefined {
  const called = command.words.join(" ");
  const local = step.scripts?.find(({ line, called: words }) => line === command.line && words === called);
  const isForShipping = shippingName.test(`${called} ${step.title?.text ?? ""}`) && !otherCall.test(called);
  if (local === undefined || !isForShipping || decidesItself.test(local.text)) return undefined;
  const found = commandsIn(local.text).flatMap((inner) => {
    const each = effectOf(inner.words.join(" "));
    if (each === undefined || each.confidence !== undefined || !(shipping.has(each.verb) || each.verb === "undo"))
      return [];
    // What the call is given may choose the place.
    const name = [nameIn(each, inner, step), called].filter(Boolean).join(" by ");
    return [{ ...known(step, each, command, script), named: name, known: { inferred: 0.85 } }];
  });
  const each = new Map(found.map((effect) => [`${effect.verb} ${effect.category} ${effect.named}`, effect]));
  return found.length > 0 ? [...each.values()] : undefined;
}

const effectOf = (line: string): CommandEffect | undefined =>
  commandEffects.find(({ command, unless }) => command.test(line) && !unless?.test(line));

/** What a command runs in a container that is up. */
const insideContainer = new RegExp(
  String.raw`^(docker[ -]compose( -\S+ \S+)* (exec|run)( -\S+)* [\w-]+|docker exec( -\S+)* [\w-]+|` +
    "kubectl .*exec .*--) (?<inner>.+)$",
);

/** Longer values, and longer commands, are no addresses. */
const valueMax = 500;
const lineMax = 2000;
/** The steps of a graph are looked at by many rules, and one script may have many commands. */
const assignments = new WeakMap<StepNode, ReadonlyMap<string, string>>();

/** Gives the values that a script puts into variables, as they are written. */
function assignmentsIn(step: StepNode): ReadonlyMap<string, string> {
  const read = assignments.get(step);
  if (read !== undefined) return read;
  const script = step.run?.text ?? "";
  const found = script.length > charactersMax ? [] : script.matchAll(assignment);
  const values = new Map([...found].map(({ 1: name = "", 2: value = "" }) => [name, value]));
  assignments.set(step, values);
  return values;
}

const assignment = new RegExp(String.raw`^[ \t]*(?:export )?(\w+)=(.{1,${valueMax}})$`, "gm");

/** Puts the secrets that a script keeps in variables into a command, because their names say what an address is. */
function withNamedSecrets(line: string, step: StepNode): string {
  if (!/^curl\b/.test(line) || !/\$\{?\w/.test(line) || line.length > lineMax) return line;
  const values = assignmentsIn(step);
  const filled = (text: string): string =>
    text.replaceAll(/\$\{?([A-Za-z_]\w*)\}?/g, (whole, name: string) => values.get(name) ?? whole).slice(0, lineMax);
  return filled(filled(line));
}

/** Finds the target's name: the value of one of the options, or of a variable in the step's environment. */
function nameIn(each: CommandEffect, command: ShellCommand, step: StepNode): string | undefined {
  const values = (each.name ?? []).flatMap((option) => optionValue(command.words, option) ?? []);
  const name = values.join("/") || each.operand?.exec(command.words.join(" "))?.[1];
  const variable = name === undefined ? undefined : /^\$\{?(\w+)\}?$/.exec(name)?.[1];
  const fromEnv = step.env.find(({ key }) => key.text === variable)?.value.text;
  return fromEnv ?? name ?? (each.fallback === "working-directory" ? step.workingDirectory?.text : undefined);
}

function optionValue(words: readonly string[], option: string): string | undefined {
  const at = words.findIndex((each) => each === option || each.startsWith(`${option}=`));
  if (at === -1) return undefined;
  const word = words[at]!;
  return word === option ? words[at + 1] : word.slice(option.length + 1);
}
