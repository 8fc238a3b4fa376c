// A hook with a matcher on an event that has none. Claude Code ignores the matcher without a word, so the hook runs on
// every occurrence and not on those that the file names.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { matches, withoutMatcher } from "../systems/claude-code/runtime-facts.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";

const check = (graph: Graph): readonly Draft[] =>
  claudeCodeViewOf(graph).hooks.flatMap(({ event, matcher, malformed, file, command }) => {
    const isRestricting = matcher !== undefined && !matches(matcher.text, "");
    if (!isRestricting || malformed !== undefined || !withoutMatcher.has(event.text)) return [];
    return [
      {
        severity: "low",
        known: "structural",
        place: matcher.place,
        message: `Claude Code ignores the matcher ${matcher.text}, since the event ${event.text} has none.`,
        cost: "The hook runs on every occurrence of the event.",
        fix: "delete the matcher and let the hook read its input, or choose an event that has a matcher",
        subject: `${file} ${event.text} ${matcher.text} ${command?.text ?? ""}`,
      } satisfies Draft,
    ];
  });

const settings = (event: string, rest = ""): string => `{
  "hooks": {
    "${event}": [
      { "matcher": "Bash", "hooks": [{ "type": "command", "command": "date"${rest} }] }
    ]
  }
}
`;

export const hookMatcherIgnored: Rule = {
  id: "hook-matcher-ignored",
  title: "A hook has a matcher that its event does not read",
  systems: ["claude-code"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "Events such as Stop and UserPromptSubmit have no matcher. A hook that was meant for some occurrences runs on " +
    "all of them, and may hold up work that it was never meant for.",
  severity: "Low.",
  fix: "Delete the matcher, or choose an event that has one.",
  limits: "Matchers that accept everything are not reported, because they change nothing.",
  failing: [{ ".claude/settings.json": settings("Stop", ', "statusMessage": "<- finding"') }],
  nearMisses: [
    {
      files: { ".claude/settings.json": settings("PostToolUse") },
      because: "The event compares its matcher with the name of the tool.",
      edit: { file: ".claude/settings.json", replace: "PostToolUse", by: "UserPromptSubmit" },
    },
  ],
  check,
};
