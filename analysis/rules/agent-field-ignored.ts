// A restriction that counts for nothing: a field under a name that Claude Code does not read, a field that agents of
// plugins may not have, or the fields of a command whose frontmatter is refused. The file says that something is
// forbidden, and it is allowed.
import type { Graph } from "../graph.ts";
import { renameField } from "../patches/frontmatter-repair.ts";
import type { Draft, Rule } from "../rule.ts";
import type { AgentNode, Field, PromptNode, UnloadedNode } from "../systems/claude-code/nodes.ts";
import { agentFields, ignoredInPlugins, promptFields } from "../systems/claude-code/runtime-facts.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";

/** Fields that restrict, or run something: if they are ignored, more is allowed than the file says. */
const agentRestrictions: ReadonlySet<string> = new Set([
  "tools",
  "disallowedTools",
  "permissionMode",
  "isolation",
  "hooks",
]);
const promptRestrictions: ReadonlySet<string> = new Set([
  "allowed-tools",
  "disallowed-tools",
  "disable-model-invocation",
  "user-invocable",
  "hooks",
]);

function check(graph: Graph): readonly Draft[] {
  const { agents, prompts, unloaded } = claudeCodeViewOf(graph);
  return [
    ...unloaded.filter(({ notLoaded: { reason } }) => reason === "unread-key").map(ofSettings),
    ...agents
      .filter(({ notLoaded }) => notLoaded === undefined)
      .flatMap((agent) => [...misnamed(agent, agentFields, agentRestrictions, agentNames), ...ofPlugin(agent)]),
    ...prompts.flatMap((prompt) => misnamed(prompt, promptFields, promptRestrictions, promptNames)),
    ...[...agents, ...prompts].flatMap(refused),
  ];
}

const ofSettings = ({ file, name, notLoaded: { place, because } }: UnloadedNode): Draft => ({
  severity: /deny|disallowed|ask/.test(name) ? "high" : "medium",
  known: "structural",
  place,
  message: `Claude Code does not read the field ${name} of ${file}: ${because}.`,
  cost: "What it allows, forbids or starts does not apply, and nobody is told.",
  fix: "move it to where it is read",
  subject: `${file} ${name}`,
});

/** Names that people write for a field of the other kind of file. */
const agentNames: Readonly<Record<string, string>> = { allowedtools: "tools" };
const promptNames: Readonly<Record<string, string>> = { tools: "allowed-tools", disallowedtools: "disallowed-tools" };

const simple = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, "");

function misnamed(
  node: AgentNode | PromptNode,
  fields: readonly string[],
  restrictions: ReadonlySet<string>,
  others: Readonly<Record<string, string>>,
): readonly Draft[] {
  return node.fields.flatMap((field) => {
    const written = field.key.text;
    if (fields.includes(written)) return [];
    const meant = fields.find((each) => simple(each) === simple(written)) ?? others[simple(written)];
    const isTwice = node.fields.some(({ key }) => key.text === meant);
    if (meant === undefined || !restrictions.has(meant) || isTwice || field.items.length === 0) return [];
    return [draft(node, field, meant)];
  });
}

/** Tools that a prompt does not pre-approve are asked for, so a wrong name costs questions there and no safety. */
function draft(node: AgentNode | PromptNode, field: Field, meant: string): Draft {
  const isHarmless = meant === "allowed-tools";
  return {
    severity: isHarmless ? "low" : "medium",
    known: "structural",
    place: field.key.place,
    message: `Claude Code does not read the field ${field.key.text} of ${node.name}; the field is named ${meant}.`,
    cost: isHarmless
      ? "Each of these tools asks for permission."
      : "The restriction does not apply, so more is allowed than the file says.",
    fix: `rename the field to ${meant}`,
    subject: `${node.file} ${field.key.text}`,
    repair: renameField(field, meant),
  };
}

const ofPlugin = (agent: AgentNode): readonly Draft[] =>
  agent.plugin === undefined
    ? []
    : agent.fields
        .filter(({ key }) => ignoredInPlugins.has(key.text))
        .map(({ key }) => ({
          severity: key.text === "mcpServers" ? "low" : "medium",
          known: "structural",
          place: key.place,
          message: `Claude Code ignores the field ${key.text} of ${agent.name}, since the agent comes from a plugin.`,
          cost: "What the field says does not apply.",
          fix:
            key.text === "permissionMode"
              ? "restrict the agent with tools or disallowedTools"
              : `move ${key.text} to the plugin itself`,
          subject: `${agent.file} ${key.text}`,
        }));

/** A command or skill, or an agent of a plugin, that is loaded without any of its fields. */
function refused(node: AgentNode | PromptNode): readonly Draft[] {
  if (node.ignoredFields === undefined) return [];
  return [
    {
      severity: "medium",
      known: "structural",
      place: node.ignoredFields.place,
      message: `Claude Code reads no field of ${node.file}, since ${node.ignoredFields.because}.`,
      cost: "It is loaded without its description and its restrictions.",
      fix: "correct the frontmatter, for example with quotes around the whole value",
      subject: `${node.file} fields`,
    },
  ];
}

const agentText = (tools: string): string => `---
name: access-reviewer
description: Reviews a change for mistakes in access control.
${tools}: Read, Grep
---

You are a reviewer. Report what an attacker could use.
`;
const skillText = (rest: string): string => `---
name: deploy
description: Deploys the shop.
${rest}
---

Run the deployment script and report its answer.
`;

export const agentFieldIgnored: Rule = {
  id: "agent-field-ignored",
  title: "A field that should restrict something is not read",
  systems: ["claude-code"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "Claude Code ignores a field that it does not know, without a word. Agents have tools and disallowedTools, " +
    "commands and skills have allowed-tools and disallowed-tools, and agents of plugins have no hooks. An agent " +
    "whose list of tools stands under another name has every tool.",
  severity: "Medium. Low if only questions or servers are affected.",
  fix: "Use the name that Claude Code reads.",
  limits:
    "Only fields that restrict or run something are reported; other unknown fields may be read by other programs.",
  failing: [
    { ".claude/agents/access-reviewer.md": agentText("allowed-tools").replace("Grep\n", "Grep # <- finding\n") },
    { ".claude/skills/deploy/SKILL.md": skillText("disable_model_invocation: true # <- finding") },
    {
      ".claude-plugin/plugin.json": '{ "name": "team" }\n',
      "agents/access-reviewer.md": agentText("permissionMode: plan # <- finding\ntools"),
    },
    { ".claude/skills/deploy/SKILL.md": skillText('model: "opus" (<- finding)') },
  ],
  nearMisses: [
    {
      files: { ".claude/agents/access-reviewer.md": agentText("tools") },
      because: "Agents list their tools under tools.",
      edit: { file: ".claude/agents/access-reviewer.md", replace: "tools: Read", by: "allowed_tools: Read" },
    },
    {
      files: { ".claude/skills/deploy/SKILL.md": skillText("disable-model-invocation: true\nversion: 2") },
      because: "The field has its name, and an unknown field that restricts nothing may be somebody's own.",
      edit: {
        file: ".claude/skills/deploy/SKILL.md",
        replace: "disable-model-invocation: true",
        by: "disableModelInvocation: true",
      },
    },
  ],
  check,
};
