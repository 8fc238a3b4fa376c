// Patches of the frontmatter of agents and prompts: a missing name, a field under the name that Claude Code reads, a
// tool that is missing from a list. Each changes one line, and none touches the text below.
import type { Repair } from "../rule.ts";
import type { AgentNode, Field } from "../systems/claude-code/nodes.ts";

/** Adds the name of the file as the first field, if it may be a name. */
export function nameRepair({ fieldsAt }: AgentNode, name: string): Repair | undefined {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || fieldsAt.line < 2) return undefined;
  const place = { ...fieldsAt, column: 1, endLine: fieldsAt.line, endColumn: 1 };
  return { title: `Name the agent ${name}`, edits: [{ place, text: `name: ${name}\n` }] };
}

/** Writes the name of a field as Claude Code reads it. */
export const renameField = ({ key }: Field, name: string): Repair => ({
  title: `Rename the field to ${name}`,
  edits: [{ place: key.place, text: name }],
});

/** Adds a tool to a list that is written as plain text on one line. */
export function addTool({ value, key }: Field, tool: string): Repair | undefined {
  const isPlain = value !== undefined && !value.isBlock && /^\w[\w, ()-]*$/.test(value.text);
  if (
    !isPlain ||
    value.place.endLine !== key.place.line ||
    value.place.endColumn - value.place.column !== value.text.length
  )
    return undefined;
  const { endLine, endColumn } = value.place;
  const place = { ...value.place, line: endLine, column: endColumn };
  return { title: `Add the tool ${tool}`, edits: [{ place, text: `, ${tool}` }] };
}
