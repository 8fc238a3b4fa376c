// Claude Code files: this repository's own, the bad example, and what a stranger's folder may hold. The facts about
// what the runtime loads are tested on the smallest files that show them.
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Analysis, analyze } from "../../analysis/analyze.ts";
import { folderOf, openFolder } from "../../analysis/folder.ts";
import { provePatches } from "../../analysis/patches/prove.ts";
import { type Files, rankOf } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { depths, outputs, scopes } from "../../cli/analyze/options.ts";
import { runChild } from "../../toolchain/child.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (files: Files): Promise<Analysis> => analyze(folderOf(files), { scope: ["claude-code"] });
const agent = (fields: string, text = "You are a reviewer."): string => `---\n${fields}\n---\n\n${text}\n`;
const loaded = async (text: string): Promise<boolean> => {
  const { graph } = await read({ ".claude/agents/reviewer.md": text });
  return graph.nodes.some((node) => node.kind === "agent" && node.notLoaded === undefined);
};
const delegations = async (text: string, ...names: readonly string[]): Promise<readonly string[]> => {
  const agents = Object.fromEntries(
    names.map((name) => [`.claude/agents/${name}.md`, agent(`name: ${name}\ndescription: Works.`)]),
  );
  const { graph } = await read({ ...agents, ".claude/commands/work.md": text });
  return graph.edges.filter(({ kind }) => kind === "delegates").map(({ to }) => to.replace(/^.*[:/]|\.md$/g, ""));
};

describe("this repository", () => {
  test("has command and agent files without any finding", async () => {
    const { findings, graph } = await analyze(openFolder(root), { scope: ["claude-code"] });
    expect(graph.judged).toEqual([
      ".claude/agents/finding-verifier.md",
      ".claude/agents/orchestration-architect.md",
      ".claude/agents/orchestration-implementer.md",
      ".claude/commands/improve-orchestration.md",
    ]);
    expect(graph.notJudged).toEqual([]);
    expect(findings).toEqual([]);
  });

  test("has a command that calls each of its agents, and no other", async () => {
    const { graph } = await analyze(openFolder(root), { scope: ["claude-code"] });
    const called = graph.edges.filter(({ from }) => from === "prompt:.claude/commands/improve-orchestration.md");
    const agents = graph.nodes.filter(({ kind }) => kind === "agent").map(({ id }) => id);
    expect([...new Set(called.map(({ to }) => to))].toSorted()).toEqual(agents);
  });

  test("has a command with ten phases, whose options and calls are those of `ballast analyze`", async () => {
    const text = readFileSync(join(root, ".claude", "commands", "improve-orchestration.md"), "utf8");
    const phases = [...text.matchAll(/^## Phase (\d+):/gm)].map(([, number]) => Number(number));
    expect(phases).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const row = (option: string): readonly string[] =>
      [...text.match(new RegExp(`^\\| \`${option}\` \\|([^|]*)`, "m"))![1]!.matchAll(/`([\w-]+)`/g)]
        .map(([, value]) => value!)
        .toSorted();
    expect(row("--scope")).toEqual(Object.keys(scopes).toSorted());
    expect(row("--depth")).toEqual([...depths].toSorted());
    expect(row("--output")).toEqual([...outputs].toSorted());
    const { output } = await runChild(process.execPath, [join(root, "cli", "main.ts"), "analyze", "--help"]);
    const called = [...text.matchAll(/ballast analyze \.((?:(?! > )[^\n`])*)/g)].flatMap(
      ([, rest]) => rest!.match(/--[\w-]+/g) ?? [],
    );
    expect(new Set(called).size).toBeGreaterThan(6);
    expect(called.filter((option) => !output.includes(`${option} `) && !output.includes(`${option}\n`))).toEqual([]);
  });

  test("is never green with the scope production, since program code is not read", async () => {
    const { code, output } = await runChild(process.execPath, [
      join(root, "cli", "main.ts"),
      "analyze",
      root,
      "--scope",
      "production",
    ]);
    expect(code).toBe(1);
    expect(output).toContain("program code is not read yet");
  });
});

test("in the bad example every rule about Claude Code finds something, each at the line that says so", async () => {
  const folder = join(root, "examples", "bad-orchestration");
  const marked = globSync(".claude/**/*.{md,json}", { cwd: folder }).flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .split("\n")
      .flatMap((line, at) => {
        const rule = /<- finding ([\w-]+)/.exec(line)?.[1];
        return rule === undefined ? [] : [`${rule} ${file}:${at + 1}`];
      }),
  );
  const { findings } = await analyze(openFolder(folder), { scope: ["claude-code"] });
  const reported = findings
    .filter(({ severity }) => rankOf(severity) > 0)
    .map(({ rule, place }) => `${rule} ${place.file}:${place.line}`);
  expect(reported.toSorted()).toEqual(marked.toSorted());
  const about = rulebook.filter(({ systems }) => systems.includes("claude-code")).map(({ id }) => id);
  expect(about.filter((id) => !reported.some((line) => line.startsWith(`${id} `)))).toEqual([]);
});

describe("an agent file", () => {
  test.each([
    ["a name and a description", "name: reviewer\ndescription: Reviews.", true],
    ["a description that YAML refuses until it is quoted", "name: reviewer\ndescription: Use when: asked", true],
    ["equal keys, of which the last counts", "name: a\nname: reviewer\ndescription: Reviews.", true],
    ["no name", "description: Reviews.", false],
    ["no description", "name: reviewer", false],
    ["a name with a colon", "name: team:reviewer\ndescription: Reviews.", false],
    ["text that is no YAML in any reading", 'name: reviewer\ndescription: "Reviews" a change', false],
  ])("with %s is loaded or not as the runtime does it", async (_what, fields, isLoaded) => {
    expect(await loaded(agent(fields))).toBe(isLoaded);
  });

  test("is not loaded if its frontmatter begins on the second line", async () => {
    expect(await loaded(`\n${agent("name: reviewer\ndescription: Reviews.")}`)).toBe(false);
  });

  test("in an example, a template or a folder of references is no agent of the repository", async () => {
    const text = agent("description: Reviews.");
    const { graph, findings } = await read({
      "examples/shop/.claude/agents/reviewer.md": text,
      "templates/.claude/agents/reviewer.md": text,
      ".claude/skills/review/references/reviewer.md": text,
      "docs/agents/reviewer.md": text,
    });
    expect(graph.nodes).toEqual([]);
    expect(findings).toEqual([]);
  });

  test("among the examples beside agents is a document, unless it is complete", async () => {
    const { graph, findings } = await read({
      ".claude/agents/examples/reviewer.md": agent("description: Reviews."),
      ".claude/agents/examples/writer.md": agent("name: writer\ndescription: Writes."),
      ".claude/commands/write.md": "Use the `writer` agent to write.\n",
    });
    expect(findings).toEqual([]);
    expect(graph.edges.map(({ kind, to }) => `${kind} ${to}`)).toEqual([
      "delegates agent:.claude/agents/examples/writer.md",
    ]);
  });

  test("of a plugin is loaded under the name of its file, with the plugin's name before it", async () => {
    const { graph } = await read({
      "tools/.claude-plugin/plugin.json": '{ "name": "tools" }',
      "tools/agents/review/security.md": "You look for mistakes.\n",
    });
    expect(graph.nodes.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["agent tools:review:security"]);
  });
});

describe("prose", () => {
  test.each([
    ["Use the `writer` agent to write."],
    ['Agent({ subagent_type: "writer" })'],
    ["Delegate the rest to `writer`."],
    ["**Agent**: writer"],
    ["Ask @agent-writer for a draft."],
    ['```ts\nlaunchAgent("writer", {});\n```'],
  ])("delegates with %s", async (text) => {
    expect(await delegations(text, "writer")).toEqual(["writer"]);
  });

  test.each([
    ["Do not use the `writer` agent."],
    ["The file writer.md is long."],
    ["<example>\nUse the `writer` agent to write.\n</example>"],
    ["<!-- Use the `writer` agent to write. -->"],
    ['```json\n{ "subagent_type": "writer" }\n```'],
    ["Use a specialized agent, or the same agent again."],
    ["Use the read-only agent of your choice."],
    ["1. **rate-limit** - how many calls a minute"],
  ])("does not delegate with %s", async (text) => {
    expect(await delegations(text, "writer")).toEqual([]);
  });
});

test("a roster of agents that no file defines is reported name by name", async () => {
  const names = ["system-mapper", "conflict-analyzer", "code-writer", "test-engineer"];
  const roster = names.map((name, at) => `${at + 1}. **${name}** - does its part`).join("\n");
  const { findings } = await read({
    ".claude/agents/reviewer.md": agent("name: reviewer\ndescription: Reviews."),
    ".claude/commands/improve.md": `# Improve\n\nThese agents work together:\n\n${roster}\n`,
  });
  const dangling = findings.filter(({ rule }) => rule === "agent-dangling");
  expect(dangling.map(({ place }) => place.line)).toEqual([5, 6, 7, 8]);
  expect(dangling.map(({ severity }) => severity)).toEqual(["medium", "medium", "medium", "medium"]);
});

test("a finding that is inferred with less than 0.7 is low", async () => {
  const { findings } = await read({
    ".claude/commands/review.md":
      "Review it.\n\n1. Use the `a-reviewer` agent to review names.\n2. Use the `b-reviewer` agent " +
      "to check types.\n",
  });
  expect(findings.filter(({ rule }) => rule === "agent-serial-delegation").map(({ severity }) => severity)).toEqual([
    "low",
  ]);
});

test("patches of frontmatter are proven: each removes its finding and changes one line", async () => {
  const files: Files = {
    ".claude/agents/nameless.md": agent("description: Reviews.\ntools: Read"),
    ".claude/agents/reviewer.md": agent("name: reviewer\ndescription: Reviews.\nallowed-tools: Read"),
    ".claude/agents/lead.md": agent("name: lead\ndescription: Leads.\ntools: Read, Bash", "Use the `reviewer` agent."),
  };
  const { findings } = await read(files);
  const {
    proven,
    dropped,
    files: after,
  } = await provePatches(folderOf(files), (file) => files[file]!, findings, rulebook);
  expect(dropped).toEqual([]);
  expect(proven.map(({ title }) => title).toSorted()).toEqual([
    "Add the tool Agent",
    "Name the agent nameless",
    "Rename the field to tools",
  ]);
  expect(Object.fromEntries(after)).toEqual({
    ".claude/agents/nameless.md": agent("name: nameless\ndescription: Reviews.\ntools: Read"),
    ".claude/agents/reviewer.md": agent("name: reviewer\ndescription: Reviews.\ntools: Read"),
    ".claude/agents/lead.md": agent(
      "name: lead\ndescription: Leads.\ntools: Read, Bash, Agent",
      "Use the `reviewer` agent.",
    ),
  });
  expect((await read({ ...files, ...Object.fromEntries(after) })).findings).toEqual([]);
});

describe("a hostile folder", () => {
  let folder: string;
  const bomb = [1, 2, 3, 4, 5, 6].map((at) => `x${at}: &a${at} [${`*a${at - 1}, `.repeat(9)}]\n`).join("");
  const files: Readonly<Record<string, string | Buffer>> = {
    ".claude/agents/bomb.md": `---\nname: bomb\ndescription: d\nx0: &a0 [x]\n${bomb}---\n`,
    ".claude/agents/binary.md": Buffer.from(Array.from({ length: 4000 }, (_each, at) => (at * 7919) % 256)),
    ".claude/agents/utf-16.md": Buffer.from(`\uFEFF${agent("name: a\ndescription: b")}`, "utf16le"),
    ".claude/agents/mark.md": `\uFEFF${agent("name: mark\ndescription: b").replaceAll("\n", "\r\n")}`,
    ".claude/agents/line.md": agent("name: line\ndescription: b", `Use the ${"`a".repeat(100_000)} agent`),
    ".claude/agents/stars.md": agent("name: stars\ndescription: b", "**a ".repeat(50_000)),
    ".claude/agents/open.md": "---\nname: open\ndescription: b\n",
    ".claude/agents/empty.md": "",
    ".claude/commands/fences.md": "```\n".repeat(20_001),
    ".claude/skills/deep/SKILL.md": `---\nhooks: ${"[".repeat(5000)}\n---\n`,
    ".claude/settings.json": `{ "hooks": { "Stop": ${"[".repeat(5000)}${"]".repeat(5000)} } }`,
    ".claude/settings.local.json": '{ "hooks": { "PreToolUse": [{ "matcher": "((a+)+)+$(", "hooks": [] }] }, }',
    "many/.claude-plugin/plugin.json": '{ "name": "many", "agents": "../../../etc", "hooks": "/etc/passwd" }',
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ballast-hostile-claude-"));
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    symlinkSync("loop.md", join(folder, ".claude/agents/loop.md"));
    symlinkSync(join(root, "README.md"), join(folder, ".claude/commands/outside.md"));
    symlinkSync(join(root, "docs"), join(folder, ".claude/skills/linked"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is judged within five seconds: each file, or the reason why not", async () => {
    const from = performance.now();
    const { graph } = await analyze(openFolder(folder), { scope: ["claude-code"] });
    expect(performance.now() - from).toBeLessThan(5000);
    const because = Object.fromEntries(graph.notJudged.map((each) => [each.file, each.because]));
    expect(because).toMatchObject({
      ".claude/agents/bomb.md": "its YAML aliases expand to more than 100 copies",
      ".claude/agents/binary.md": "it is not encoded as UTF-8",
      ".claude/agents/utf-16.md": expect.stringContaining("UTF-16"),
      ".claude/agents/loop.md": "it is a link, and links are not followed",
      ".claude/commands/outside.md": "it is a link, and links are not followed",
      ".claude/skills/linked": "it is a link, and links are not followed",
    });
    const seen = new Set([...graph.judged, ...Object.keys(because)]);
    expect(Object.keys(files).filter((file) => !seen.has(file))).toEqual([]);
    expect(graph.judged).toContain(".claude/agents/mark.md");
    expect(JSON.stringify(graph)).not.toContain("/etc/");
  });
});
