// Reads the commands of a Markdown page: the lines of its blocks, and the code spans in its prose that begin with a
// program that these pages tell people to run. Pure.

/** One command as a reader would paste it, and its place. */
export interface PageCommand {
  readonly page: string;
  readonly line: number;
  readonly text: string;
  /** Whether it is a line of a block, which is pasted whole; prose may leave out what differs between users. */
  readonly inBlock: boolean;
  /** The answer that the page shows, in a block that has both. */
  readonly answer?: string;
}

const programs = ["npm", "npx", "node", "ballast", "pulumi", "az", "gh", "git", "curl", "\\."];
// A program's name alone is a word of the prose. Before it there may be variables, as in `UPDATE=1 npx …`.
const isCommand = new RegExp(`^(?:[A-Z_]+=\\S+ )*(?:${programs.join("|")}) [\\x20-\\x7e]+$`);
/** Languages of blocks with commands; a block in any other is a program or its output. */
const shells = ["", "sh", "console"];

/** A part of a page: the lines of a fenced block, or of a paragraph; `from` is the index of its first line. */
interface Part {
  readonly from: number;
  readonly lines: readonly string[];
  /** The language of a block; undefined for a paragraph. */
  readonly language?: string;
}

/** Gives the commands of a page, in its order; for a command inside another's `$( )`, both. */
export function commandsOf(page: string, markdown: string): readonly PageCommand[] {
  return partsOf(markdown.split("\n")).flatMap(({ from, lines, language }): PageCommand[] => {
    if (language === undefined)
      return spansOf(lines.join("\n")).flatMap(({ at, text }) =>
        commandsIn(text).map((command) => ({ page, line: from + at + 1, text: command, inBlock: false })),
      );
    if (!shells.includes(language)) return [];
    return linesOf(lines, language).flatMap(({ from: at, text, answer }) =>
      commandsIn(text).map((command) => ({
        page,
        line: from + at + 1,
        text: command,
        inBlock: true,
        ...(answer && { answer }),
      })),
    );
  });
}

/**
 * Gives the commands of a line: those joined by `&&` or `|`, and those inside `$( )`. A pipe within `$( )` ends no
 * command.
 */
function commandsIn(text: string): readonly string[] {
  const split = (shell: string): readonly string[] => shell.split(/ (?:&&|\|)(?: |$)(?![^(]*\))/);
  const outer = split(text.replace(/\s+# .*$/, ""));
  const inner = [...text.matchAll(/\$\(([^)]+)\)/g)].flatMap(([, each]) => split(each!));
  return [...outer, ...inner].map((each) => each.trim()).filter((each) => isCommand.test(each));
}

/**
 * Splits a page into its blocks and paragraphs; a list item, a row of a table and a heading are paragraphs of their
 * own.
 */
function partsOf(lines: readonly string[]): readonly Part[] {
  const parts: { readonly from: number; readonly lines: string[]; readonly language?: string }[] = [];
  let fence: Part | undefined;
  let isOpen = false;
  for (const [at, line] of lines.entries()) {
    const [, language] = /^\s*```\s*(\S*)/.exec(line) ?? [];
    if (language !== undefined) {
      if (fence === undefined) fence = { from: at + 1, lines: [], language };
      else {
        parts.push({ ...fence, lines: lines.slice(fence.from, at) });
        fence = undefined;
      }
      isOpen = false;
    } else if (fence === undefined) {
      if (line.trim() === "" || /^(\||\s*[-*] |\s*\d+\. |#)/.test(line)) isOpen = false;
      if (line.trim() === "") continue;
      if (isOpen) parts.at(-1)!.lines.push(line);
      else parts.push({ from: at, lines: [line] });
      isOpen = true;
    }
  }
  return parts;
}

/** Gives the lines of a block, continued lines joined; of a console block, the commands with their answers. */
function linesOf(
  block: readonly string[],
  language: string,
): readonly { readonly from: number; readonly text: string; readonly answer?: string }[] {
  const found: { from: number; text: string; answer?: string }[] = [];
  for (const [from, line] of block.entries()) {
    const last = found.at(-1);
    if (last?.text.endsWith("\\")) last.text = `${last.text.slice(0, -1).trim()} ${line.trim()}`;
    else if (language !== "console") found.push({ from, text: line.trim() });
    else if (line.startsWith("$ ")) found.push({ from, text: line.slice(2).trim() });
    else if (last !== undefined) last.answer = `${last.answer ?? ""}${line}\n`;
  }
  return found;
}

/** Gives the words of a command line as a shell splits them, without quotes; a placeholder in `< >` is one word. */
export const wordsOf = (text: string): readonly string[] =>
  [...text.replace(/ [<>] \S+(?: &)?$/, "").matchAll(/(?:"[^"]*"|'[^']*'|\$\([^)]*\)|<[^>]+>|[^\s"'<])+/g)].map(
    ([word]) => word.replace(/^(["'])([^]*)\1$/, "$2"),
  );

/** Gives the code spans of a paragraph, paired from the left as in Markdown, with the line on which each begins. */
const spansOf = (text: string): readonly { readonly at: number; readonly text: string }[] =>
  [...text.matchAll(/(`+)([^]*?[^`])\1(?!`)/g)].map((span) => ({
    at: text.slice(0, span.index).split("\n").length - 1,
    text: span[2]!
      .replace(/\s*\n\s*/g, " ")
      .replaceAll("\\|", "|")
      .trim(),
  }));
