// Kinds of defects in Claude Code files that public repositories had and the rules' own examples do not show, each with
// the least change that makes it right; and what looked like a defect there and is none.
import { expect, test } from "vitest";
import { analyze } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";

type Files = Readonly<Record<string, string>>;

const rulesIn = async (files: Files): Promise<readonly string[]> => {
  const { findings } = await analyze(folderOf(files), { asksGitHub: false });
  return findings.map(({ rule }) => rule);
};
const settings = (text: string): Files => ({ ".claude/settings.json": text });
const hook = (event: string, matcher: string, entry: string): Files =>
  settings(`{ "hooks": { "${event}": [{ "matcher": "${matcher}", "hooks": [${entry}] }] } }`);
const run = '{ "type": "command", "command": "jq ." }';
const ask = '{ "type": "agent", "prompt": "Write down what matters." }';

test.each<readonly [string, string, Files, Files]>([
  [
    "servers in the settings",
    "agent-field-ignored",
    settings('{ "mcpServers": { "pdb": { "command": "python" } } }'),
    { ".mcp.json": '{ "mcpServers": { "pdb": { "command": "python" } } }', ".claude/settings.json": "{}" },
  ],
  [
    "rules of permission outside of permissions",
    "agent-field-ignored",
    settings('{ "deny": ["Read(.env)"] }'),
    settings('{ "permissions": { "deny": ["Read(.env)"] } }'),
  ],
  [
    "a file that describes several agents",
    "agent-file-not-loaded",
    { ".claude/agents/specialists.md": "# Specialist Agents\n\n## Verifier\n\nTests.\n" },
    { ".claude/agents/specialists.md": "---\nname: verifier\ndescription: Tests.\n---\n\nTest.\n" },
  ],
  [
    "a model that is asked by an event that runs commands only",
    "hook-cannot-fire",
    hook("PreCompact", "auto", ask),
    hook("Stop", "", ask),
  ],
  [
    "a server's prefix in a list of whole names",
    "hook-cannot-fire",
    hook("PreToolUse", "Bash|mcp__", run),
    hook("PreToolUse", "Bash|mcp__.*", run),
  ],
  [
    "a path that is read in a sentence about generated code",
    "prompt-file-missing",
    { ".claude/commands/check.md": "Check the generated code against `.claude/skills/RULES.md`.\n" },
    { ".claude/commands/check.md": "Generate the rules and save them as `.claude/skills/RULES.md`.\n" },
  ],
])("%s", async (_name, rule, bad, good) => {
  expect(await rulesIn(bad)).toContain(rule);
  expect(await rulesIn(good)).not.toContain(rule);
});

const agent = "---\nname: fixer\ndescription: Fixes tests.\n---\n\nFix the tests.\n";
test.each<readonly [string, Files]>([
  [
    "a guide beside an agent",
    {
      ".claude/agents/fixer.md": agent,
      ".claude/agents/USAGE-fixer.md": "# Fixer Agent - Usage Guide\n\nUse the fixer.\n",
    },
  ],
  [
    "a name that stands for a name",
    { ".claude/agents/fixer.md": `${agent}\n\`\`\`ts\nTask({ subagent_type: "agent-identifier" })\n\`\`\`\n` },
  ],
  [
    "a list of the skills",
    {
      ".claude/skills/REGISTRY.md": "# Skills\n\n- ship\n",
      ".claude/skills/ship/SKILL.md": "---\nname: ship\ndescription: Ships the shop.\n---\n\nShip it.\n",
    },
  ],
])("%s is no finding", async (_name, files) => {
  expect(await rulesIn(files)).toEqual([]);
});
