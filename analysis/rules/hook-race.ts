// Two hooks that replace the same file at the same time. All hooks that match an event run side by side, so the slower
// one overwrites what the other wrote, and which one that is changes from run to run.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { HookNode, Write } from "../systems/claude-code/nodes.ts";
import { exactNames, matcherValues, matches, toolEvents, tools } from "../systems/claude-code/runtime-facts.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";
import { valueIn } from "../word-in.ts";

function check(graph: Graph): readonly Draft[] {
  const { hooks } = claudeCodeViewOf(graph);
  const running = hooks.filter(({ writes, isLocked, disabledAt }) => writes.length > 0 && !isLocked && !disabledAt);
  return groupedBy(running, ({ scope, event }) => `${scope} ${event.text}`).flatMap((group) =>
    group.flatMap((hook, at) => {
      const clashes = group.slice(0, at).flatMap((other) => clash(other, hook));
      return clashes.slice(0, 1);
    }),
  );
}

function clash(one: HookNode, other: HookNode): readonly Draft[] {
  if (isSame(one, other) || !overlap(one, other)) return [];
  const pairs = one.writes.flatMap((its) => other.writes.map((theirs) => [its, theirs] as const));
  const [first, second] = pairs.find(([its, theirs]) => meets(its, theirs)) ?? [];
  if (first === undefined || second === undefined) return [];
  const what = first.target === "*edited*" ? "the edited file" : first.target;
  return [
    {
      severity: "high",
      known: { inferred: 0.85 },
      place: other.command?.place ?? other.place,
      message: `Two ${other.event.text} hooks rewrite ${what} side by side: ${first.by} and ${second.by}.`,
      cost: "The one that finishes last overwrites the other's work, or one reads a file that is half written.",
      fix: "run both in one hook, one after another",
      subject: `${other.file} ${other.event.text} ${first.by} ${second.by} ${what}`,
      related: [{ place: one.command?.place ?? one.place, message: `${first.by} runs here` }],
    },
  ];
}

/** Identical hooks run once (hooks, "Hook handler fields"). */
const isSame = (one: HookNode, other: HookNode): boolean =>
  one.command?.text === other.command?.text && one.script?.path === other.script?.path && one.file !== other.file;

const meets = (one: Write, other: Write): boolean =>
  one.target === other.target &&
  (one.languages.length === 0 ||
    other.languages.length === 0 ||
    one.languages.some((language) => other.languages.includes(language)));

/** Whether one event lets both run: their matchers accept the same value, and their conditions the same file. */
function overlap(one: HookNode, other: HookNode): boolean {
  const matchers = [one.matcher?.text, other.matcher?.text];
  const event = one.event.text;
  const values = toolEvents.has(event)
    ? [...tools, ...matchers.flatMap((each) => exactNames(each ?? "*") ?? [])]
    : (valueIn(matcherValues, event) ?? [...matchers.flatMap((each) => exactNames(each ?? "*") ?? []), ""]);
  const isBoth = values.some((value) => matchers.every((matcher) => matches(matcher, value)));
  const [first, second] = [one.condition?.text, other.condition?.text];
  return isBoth && (first === undefined || second === undefined || first === second);
}

const entry = (command: string): string => `{ "type": "command", "command": "${command}" }`;
const prettier = "jq -r .tool_input.file_path | xargs npx prettier --write";
const eslint = "jq -r .tool_input.file_path | xargs npx eslint --fix";
const black = "jq -r .tool_input.file_path | xargs black";
const settings = (first: string, second: string): string => `{
  "hooks": {
    "PostToolUse": [
      { "matcher": "Edit|Write", "hooks": [${entry(first)}] },
      { "matcher": "Edit", "hooks": [${entry(second)}] }
    ]
  }
}
`;
const counter = (name: string): string => `#!/bin/sh
STATE=.claude/state.json
jq '.${name} += 1' "$STATE" > "$STATE.tmp"
mv "$STATE.tmp" "$STATE"
`;

export const hookRace: Rule = {
  id: "hook-race",
  title: "Two hooks rewrite one file at the same time",
  systems: ["claude-code"],
  antiPattern: 3,
  focus: "conflicts",
  why:
    "All hooks that match an event run in parallel. Two formatters on the edited file, or two scripts that read a " +
    "state file, change it and write it back, lose one of the two changes now and then.",
  severity: "High.",
  fix: "Put both steps into one hook, or let each write a file of its own.",
  limits:
    "What a command writes is read from its words and its script, so the finding is inferred. Known formatters, " +
    "redirections, mv, sed -i and plain writes of Node and Python are seen. Appending is not reported, nor is a " +
    "script that takes a lock.",
  failing: [
    {
      ".claude/settings.json": settings(prettier, `${eslint} # <- finding`),
    },
    {
      ".claude/hooks/edits.sh": counter("edits"),
      ".claude/hooks/saves.sh": counter("saves"),
      ".claude/settings.json": settings("sh .claude/hooks/edits.sh", "sh .claude/hooks/saves.sh # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: { ".claude/settings.json": settings(prettier, black) },
      because: "The two formatters rewrite files of different languages.",
      edit: { file: ".claude/settings.json", replace: "xargs black", by: "xargs npx biome check --write" },
    },
    {
      files: {
        ".claude/hooks/edits.sh": counter("edits"),
        ".claude/hooks/saves.sh": counter("saves").replace("state.json", "saves.json"),
        ".claude/settings.json": settings("sh .claude/hooks/edits.sh", "sh .claude/hooks/saves.sh"),
      },
      because: "Each script has a state file of its own.",
      edit: { file: ".claude/hooks/saves.sh", replace: "saves.json", by: "state.json" },
    },
  ],
  check,
};
