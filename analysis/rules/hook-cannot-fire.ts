// A hook that never runs: its event does not exist, its matcher names no tool, its entry has another form than Claude
// Code reads, or the script that it runs is not there. Claude Code says nothing, so a gate that a team relies on
// stands open.
import type { Graph } from "../graph.ts";
import type { Known, Place } from "../place.ts";
import type { Draft, Rule, Severity } from "../rule.ts";
import type { HookNode } from "../systems/claude-code/nodes.ts";
import {
  exactNames,
  formerTools,
  hookEvents,
  matcherValues,
  matches,
  toolEvents,
  tools,
  withoutModel,
} from "../systems/claude-code/runtime-facts.ts";
import { type ClaudeCodeView, claudeCodeViewOf } from "../systems/claude-code/view.ts";
import { valueIn } from "../word-in.ts";

/** Why a hook does not run, and how surely. */
interface Fault {
  readonly known: Known;
  readonly place: Place;
  readonly because: string;
  readonly fix: string;
  readonly severity?: Severity;
  /** What is said instead of "never runs", if it runs for something else. */
  readonly never?: string;
}

function check(graph: Graph): readonly Draft[] {
  const view = claudeCodeViewOf(graph);
  return view.hooks.flatMap((hook) => {
    const fault = faultOf(view, hook);
    if (fault === undefined) return [];
    const isGate = hook.event.text === "PreToolUse" || hook.event.text === "PermissionRequest";
    return [
      {
        severity: fault.severity ?? (isGate ? "high" : "medium"),
        known: fault.known,
        place: fault.place,
        message: `This ${hook.event.text} hook ${fault.never ?? "never runs"}: ${fault.because}.`,
        cost: isGate
          ? "What it should check or forbid happens unchecked, and nobody is told."
          : "What it should do does not happen, and nobody is told.",
        fix: fault.fix,
        subject: `${hook.file} ${hook.event.text} ${hook.matcher?.text ?? ""} ${hook.command?.text ?? ""}`,
      },
    ];
  });
}

const faultOf = (view: ClaudeCodeView, hook: HookNode): Fault | undefined =>
  eventFault(hook) ??
  formFault(hook) ??
  typeFault(hook) ??
  matcherFault(view, hook) ??
  conditionFault(hook) ??
  scriptFault(hook);

function eventFault({ event, disabledAt }: HookNode): Fault | undefined {
  const { text, place } = event;
  if (!(hookEvents as readonly string[]).includes(text)) {
    const near = hookEvents.find((each) => simple(each) === simple(text));
    return {
      known: near === undefined ? { inferred: 0.8 } : "structural",
      place,
      because: `Claude Code has no event ${text}`,
      fix: near === undefined ? "name an event that Claude Code has" : `name the event ${near}`,
    };
  }
  if (disabledAt === undefined) return undefined;
  const because = "disableAllHooks switches off every hook of these settings";
  return { known: "structural", place, because, fix: "delete disableAllHooks, or the hooks", severity: "low" };
}

const simple = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, "");

const formFault = ({ malformed }: HookNode): Fault | undefined =>
  malformed && {
    known: "structural",
    place: malformed.place,
    because: malformed.because,
    fix: 'write the group as { "matcher": …, "hooks": [{ "type": "command", "command": … }] }',
  };

const typeFault = ({ type, event }: HookNode): Fault | undefined =>
  type !== undefined && /^(prompt|agent)$/.test(type.text) && withoutModel.has(event.text)
    ? {
        known: { inferred: 0.85 },
        place: type.place,
        because: `${event.text} runs commands only, and this one is of type ${type.text}`,
        fix: "write a command, or choose an event such as Stop whose answer decides something",
      }
    : undefined;

function matcherFault(view: ClaudeCodeView, { event, matcher }: HookNode): Fault | undefined {
  if (matcher === undefined || matches(matcher.text, "")) return undefined;
  const fault = (because: string, fix: string, known: Known = "structural"): Fault => ({
    known,
    place: matcher.place,
    because,
    fix,
  });
  const names = exactNames(matcher.text);
  if (names === undefined && !compiles(matcher.text))
    return fault("its matcher is no regular expression", "correct the expression");
  if (toolEvents.has(event.text))
    return names === undefined ? patternFault(matcher.text, fault) : nameFault(names, fault);
  const values = valueIn(matcherValues, event.text);
  if (values !== undefined && !values.some((value) => matches(matcher.text, value)))
    return fault(`its matcher accepts none of ${values.join(", ")}`, `match one of ${values.join(", ")}`);
  if (!/^Subagent(Start|Stop)$/.test(event.text) || names === undefined || view.agents.length === 0) return undefined;
  const near = view.agents.find(({ name }) => names.some((each) => simple(each) === simple(name) && each !== name));
  if (near === undefined || names.length > 1) return undefined;
  return fault(`the agent is named ${near.name}`, `match ${near.name}`);
}

type MakeFault = (because: string, fix: string, known?: Known) => Fault;

/** A list of names that are all unknown. Names of servers and of tools that may be newer are left alone. */
function nameFault(names: readonly string[], fault: MakeFault): Fault | undefined {
  const all: readonly string[] = [...tools, ...formerTools];
  const server = names.find((name) => /^mcp__([^_]+(_[^_]+)*)?$/.test(name));
  if (names.length > 1 && server !== undefined && names.some((name) => all.includes(name)))
    return {
      ...fault(`its matcher is a list of whole names, and no tool is named ${server}`, `add .* behind ${server}`),
      never: "never runs for tools of MCP servers",
    };
  if (names.length === 0 || names.some((name) => all.includes(name))) return undefined;
  if (names.every((name) => /^mcp__[^_]+(_[^_]+)*$/.test(name)))
    return fault(`its matcher is compared as a whole, and no tool is named ${names[0]}`, `match ${names[0]}__.*`);
  if (names.some((name) => name.startsWith("mcp__"))) return undefined;
  const near = names.map((name) => all.find((tool) => simple(tool) === simple(name)));
  if (near.some((tool) => tool !== undefined))
    return fault(`no tool is named ${names.join(" or ")}`, `match ${near.find((tool) => tool !== undefined)}`);
  return fault(`no tool is named ${names.join(" or ")}`, "match the name of a tool", { inferred: 0.8 });
}

/** Patterns that match no tool although they name one: calls with arguments, paths, and shell globs. */
function patternFault(pattern: string, fault: MakeFault): Fault | undefined {
  if (pattern.includes("mcp__") || [...tools, ...formerTools].some((each) => matches(pattern, each))) return undefined;
  const tool = /^\^?(\w+)\(/.exec(pattern)?.[1];
  if (tool !== undefined && (tools as readonly string[]).includes(tool))
    return fault(`a matcher sees the name ${tool} and not its arguments`, `match ${tool} and put ${pattern} into if`);
  if (/^[.*]*\.\w+$|[/]/.test(pattern))
    return fault("a matcher sees the name of a tool and not a path", 'match Edit|Write and put "Edit(…)" into if');
  return fault("its matcher accepts the name of no tool", "match the name of a tool", { inferred: 0.8 });
}

const compiles = (pattern: string): boolean => {
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
};

const conditionFault = ({ condition, event }: HookNode): Fault | undefined =>
  condition === undefined || toolEvents.has(event.text)
    ? undefined
    : {
        known: "structural",
        place: condition.place,
        because: `a hook with if runs on events of tools only, and ${event.text} is none`,
        fix: "delete if, or choose an event such as PostToolUse",
      };

const scriptFault = ({ script, command, event }: HookNode): Fault | undefined =>
  script === undefined || script.exists || command === undefined
    ? undefined
    : {
        known: { inferred: 0.9 },
        place: command.place,
        because: `its script ${script.path} is not in this repository`,
        fix: `add ${script.path}, or correct the path`,
        severity: event.text === "PreToolUse" ? "high" : "medium",
      };

const settings = (event: string, matcher: string, rest: string): string => `{
  "hooks": {
    "${event}": [
      { "matcher": "${matcher}", "hooks": [{ "type": "command", ${rest} }] }
    ]
  }
}
`;
const guardScript = "#!/bin/sh\njq -e '.tool_input.command | test(\"rm -rf\") | not' > /dev/null || exit 2\n";
const guard = '"command": "sh .claude/hooks/guard.sh"';

export const hookCannotFire: Rule = {
  id: "hook-cannot-fire",
  title: "A hook never runs",
  systems: ["claude-code"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "Claude Code ignores an event that it does not have and an entry in another form, compares a plain matcher with " +
    "the whole name of a tool, and goes on if a script is missing. A gate that never runs looks like a gate that " +
    "always agrees.",
  severity:
    "High for hooks that may forbid something (PreToolUse, PermissionRequest). Low for hooks that disableAllHooks " +
    "switches off. Otherwise medium.",
  fix:
    "Use the events and tools of Claude Code's documentation, the form with a list of hooks, and scripts of the " +
    "repository.",
  limits:
    "The list of events and tools is that of November 2026, so a name that resembles none of them is reported as " +
    "inferred. A script in a folder of build results or outside of the repository is not looked for.",
  failing: [
    {
      ".claude/hooks/guard.sh": guardScript,
      ".claude/settings.json": `{
  "hooks": {
    "preToolUse": [{ "hooks": [{ "type": "command", ${guard}, "statusMessage": "<- finding" }] }]
  }
}
`,
    },
    {
      ".claude/hooks/guard.sh": guardScript,
      ".claude/settings.json": settings("PreToolUse", "bash", `${guard}, "statusMessage": "<- finding"`),
    },
    {
      ".claude/hooks/guard.sh": guardScript,
      ".claude/settings.json": `{
  "hooks": {
    "PreToolUse": [
      { "matcher": "Bash", "command": "sh .claude/hooks/guard.sh", "statusMessage": "<- finding" }
    ]
  }
}
`,
    },
    { ".claude/settings.json": settings("PreToolUse", "Bash", `${guard}, "statusMessage": "<- finding"`) },
    {
      ".claude/hooks/guard.sh": guardScript,
      ".claude/settings.json": settings("Stop", "", `${guard}, "if": "Bash(git *)", "statusMessage": "<- finding"`),
    },
  ],
  nearMisses: [
    {
      files: { ".claude/hooks/guard.sh": guardScript, ".claude/settings.json": settings("PreToolUse", "Bash", guard) },
      because: "The event, the tool and the script exist.",
      edit: { file: ".claude/settings.json", replace: '"Bash"', by: '"Bash(rm *)"' },
    },
    {
      files: {
        ".claude/hooks/guard.sh": guardScript,
        ".claude/settings.json": settings("PreToolUse", "mcp__database__.*", guard),
      },
      because: "The pattern matches every tool of the server database.",
      edit: { file: ".claude/settings.json", replace: "mcp__database__.*", by: "mcp__database" },
    },
  ],
  check,
};
