// Reads the commands of a page of Markdown: the lines of its blocks and what stands in backticks in its sentences, where they begin with a program that
// these pages tell people to run. Pure; it knows no page and runs nothing.

/** One command as a reader would paste it, and where it stands. */
export interface PageCommand {
  readonly page: string;
  readonly line: number;
  readonly text: string;
  /** Whether it is a line of a block, which is pasted whole; a sentence may leave out what everybody's is another. */
  readonly inBlock: boolean;
  /** What the page says that it answers, in a block that shows both. */
  readonly answer?: string;
}

const programs = ["npm", "npx", "node", "ballast", "pulumi", "az", "gh", "git", "curl", "\\."];
// A program's name alone is a word of the sentence. Before it there may be variables, as in `UPDATE=1 npx …`.
const isCommand = new RegExp(`^(?:[A-Z_]+=\\S+ )*(?:${programs.join("|")}) [\\x20-\\x7e]+$`);
/** Languages of blocks in which commands stand; a block in any other is a program or what one says. */
const shells = ["", "sh", "console"];

/** Gives the commands of a page, in its order; of one that lies in another's `$( )`, both. */
export function commandsOf(page: string, markdown: string): readonly PageCommand[] {
  const found: PageCommand[] = [];
  const lines = markdown.split("\n");
  const add = (line: number, text: string, more: Pick<PageCommand, "inBlock" | "answer">): void => {
    const whole = text.replace(/\s+# .*$/, "").split(/ && | \| /);
    const inner = [...text.matchAll(/\$\(([^)]+)\)/g)].map(([, each]) => each!);
    for (const part of [...whole, ...inner].map((each) => each.trim()))
      if (isCommand.test(part)) found.push({ page, line: line + 1, text: part, ...more });
  };
  let fence: { readonly from: number; readonly language: string } | undefined;
  let paragraph: { readonly from: number; readonly lines: string[] } | undefined;
  const endParagraph = (): void => {
    for (const { at, text } of paragraph === undefined ? [] : spansOf(paragraph.lines.join("\n")))
      add(paragraph!.from + at, text, { inBlock: false });
    paragraph = undefined;
  };
  for (const [at, line] of lines.entries()) {
    const opening = /^\s*```\s*(\S*)/.exec(line);
    if (opening) {
      endParagraph();
      if (fence !== undefined && shells.includes(fence.language)) {
        for (const { from, ...each } of linesOf(lines.slice(fence.from, at), fence.language))
          add(fence.from + from, each.text, { inBlock: true, ...(each.answer && { answer: each.answer }) });
      }
      fence = fence === undefined ? { from: at + 1, language: opening[1]! } : undefined;
    } else if (fence === undefined) {
      if (line.trim() === "" || /^(\||\s*[-*] |\s*\d+\. |#)/.test(line)) endParagraph();
      if (line.trim() !== "") (paragraph ??= { from: at, lines: [] }).lines.push(line);
    }
  }
  endParagraph();
  return found;
}

/** Gives the lines of a block, each with those that it goes on in; on a console, the commands with their answers. */
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

/** Gives the words of a command line as a shell would part them, quotes taken away; what stands in `< >` is one word, whatever it stands for. */
export const wordsOf = (text: string): readonly string[] =>
  [...text.replace(/ [<>] \S+(?: &)?$/, "").matchAll(/(?:"[^"]*"|'[^']*'|\$\([^)]*\)|<[^>]+>|[^\s"'<])+/g)].map(
    ([word]) => word.replace(/^(["'])([^]*)\1$/, "$2"),
  );

/** Gives what stands in backticks, paired from the left as Markdown pairs them, with the line in the paragraph on which it begins. */
const spansOf = (text: string): readonly { readonly at: number; readonly text: string }[] =>
  [...text.matchAll(/(`+)([^]*?[^`])\1(?!`)/g)].map((span) => ({
    at: text.slice(0, span.index).split("\n").length - 1,
    text: span[2]!
      .replace(/\s*\n\s*/g, " ")
      .replaceAll("\\|", "|")
      .trim(),
  }));
