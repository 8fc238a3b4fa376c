// Checks that the pages of the documentation fit together. Every link leads to an existing file and heading, every
// decision is in the index, every word of the glossary is explained once and used, and every command of `ballast` is on
// a page. What the commands on the pages do is checked by commands.test.ts.
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { commandNames } from "../support/docs/ballast-grammar.ts";
import { readRepository } from "../support/repository/source.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const pages = globSync(["*.md", "docs/**/*.md", "examples/**/*.md"], { cwd: root });
const withoutCode = (markdown: string): string =>
  markdown.replaceAll(/^```[^]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");

/** Gives the anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = [...markdown.replaceAll(/^```[^]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    text!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase(),
  );
  const slugs = headings.map((text) =>
    text
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
  return slugs.map((slug, at) => {
    const before = slugs.slice(0, at).filter((other) => other === slug).length;
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/** Gives the links of a page that lead nowhere; links to other sites are not checked. */
function brokenLinks(page: string, markdown: string, textOf: (file: string) => string | undefined): readonly string[] {
  return [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^https?:/.test(link))
    .flatMap((link) => {
      const [path = "", anchor] = link.split("#");
      const file = path === "" ? page : normalize(join(dirname(page), path));
      const text = textOf(file);
      if (text === undefined) return [`${page}: ${link} leads to no file`];
      return anchor === undefined || anchorsOf(text).includes(anchor) ? [] : [`${page}: ${link} leads to no heading`];
    });
}

/** Gives the text of a page, nothing of another file, and undefined if there is no such file. */
function textIn(file: string): string | undefined {
  if (!existsSync(join(root, file))) return undefined;
  return file.endsWith(".md") ? read(file) : "";
}

test("every link leads to an existing file and heading", () => {
  expect(pages.flatMap((page) => brokenLinks(page, read(page), textIn))).toEqual([]);
  expect(pages.flatMap((page) => [...withoutCode(read(page)).matchAll(/\]\((?!http)/g)]).length).toBeGreaterThan(50);
});

test("a link to a missing file, a link to a missing heading, and a link in code are distinguished", () => {
  const known: Record<string, string> = { "docs/a.md": "# A `b`: [c](d) & e\n## Again\n## Again\n", "docs/b.md": "" };
  expect(
    brokenLinks(
      "docs/b.md",
      "[x](a.md) [x](a.md#a-b-c--e) [x](a.md#again-1) [x](#x) [x](c.md) [x](https://x) " +
        "`[x](no.md)`\n```\n[x](no.md)\n```\n",
      (file) => known[file],
    ),
  ).toEqual(["docs/b.md: #x leads to no heading", "docs/b.md: c.md leads to no file"]);
});

test("every page is reached from the README, and every decision from its index, by its own title", () => {
  const reached = new Set<string>();
  const open = ["README.md"];
  for (let page = open.pop(); page !== undefined; page = open.pop()) {
    if (reached.has(page)) continue;
    reached.add(page);
    for (const [, link] of withoutCode(read(page)).matchAll(/\]\(([^)\s#]+\.md)[^)]*\)/g))
      if (!/^https?:/.test(link!)) open.push(normalize(join(dirname(page), link!)));
  }
  expect(pages.filter((page) => !reached.has(page) && !page.startsWith("examples/"))).toEqual([]);
  const decisions = readdirSync(join(root, "docs", "decisions")).filter((name) => /^\d{4}-/.test(name));
  const index = read("docs/decisions/README.md");
  const rows = [...index.matchAll(/^\| \[(.*)\]\((.*)\) \| (.*) \|$/gm)].map(([, title, name, bears]) => ({
    title,
    name: name!,
    bears: bears!,
  }));
  expect(rows.map(({ title, name }) => [name, title])).toEqual(
    decisions.map((name) => [name, read(`docs/decisions/${name}`).split("\n")[0]!.slice(2)]),
  );
  for (const { bears } of rows)
    for (const [, path] of bears.matchAll(/`([^`]+)`/g))
      expect([path, existsSync(join(root, path!))]).toEqual([path, true]);
});

test("every word of the glossary is explained once and used elsewhere", () => {
  const [glossary, appendix = ""] = read("docs/reference/glossary.md").split("\n## Appendix: old words\n");
  const words = [...glossary!.matchAll(/^\| (?!word |-)([^|]+) \|/gm)].flatMap(([, cell]) =>
    cell!
      .trim()
      .split(", ")
      .map((word) => word.replaceAll("`", "")),
  );
  expect(words.length).toBeGreaterThan(50);
  expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([]);
  expect([...appendix.matchAll(/^\| (?!old word |-)[^|]+ \| [^|]+ \|$/gm)].length).toBeGreaterThan(20);
  const elsewhere = readRepository(root)
    .filter(({ path }) => path !== "docs/reference/glossary.md" && /\.(md|ts|yaml)$/.test(path))
    .map(({ text }) => text)
    .join("\n")
    .toLowerCase();
  expect(
    words.filter((word) => !new RegExp(`\\b${word.toLowerCase().replaceAll(" ", "\\s+")}`).test(elsewhere)),
  ).toEqual([]);
});

test("every command of `ballast` is on a page", () => {
  const text = pages.map(read).join("\n");
  // By itself, or among others of its group: `ballast release list|show`.
  const isMentioned = (name: string): boolean =>
    new RegExp(`ballast (?:-- )?${name.replace(/(\w[\w-]*)$/, "(?:[\\w|-]*\\|)?$1")}\\b`).test(text);
  expect(commandNames().length).toBeGreaterThan(20);
  expect(commandNames().filter((name) => !isMentioned(name))).toEqual([]);
});
