// Pictures of paths as Mermaid flowcharts. Labels are quoted, and everything that Mermaid could take for markup is
// replaced, because names come from a stranger's files.

const charactersMax = 60;

function label(text: string): string {
  const plain = text
    .replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, "$1")
    .replaceAll(/["`<>{}[\]|\\;#&]/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  if (plain === "") return "?";
  return plain.length > charactersMax ? `${plain.slice(0, charactersMax - 1).trimEnd()}…` : plain;
}

/** Draws a path from left to right. A node that comes again is the same node, so that a circle shows as one. */
export function mermaidPath(path: readonly string[]): string {
  const ids = new Map([...new Set(path)].map((name, at) => [name, `n${at + 1}`]));
  const nodes = [...ids].map(([name, id]) => `  ${id}["${label(name)}"]\n`);
  const edges = path.slice(1).map((name, at) => `  ${ids.get(path[at]!)} --> ${ids.get(name)}\n`);
  return `flowchart LR\n${nodes.join("")}${[...new Set(edges)].join("")}`;
}
