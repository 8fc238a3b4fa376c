// The blocks of a prompt as a reader sees them: sections, steps and the lines of each, without what only shows or
// quotes something (comments, examples, fences of data). It is no Markdown parser: it keeps the place of every line,
// and its cost is linear also in files that are no prose.
import { lineMax } from "./frontmatter.ts";

export interface Section {
  readonly title: string;
  /** 1 to 6; 0 for what stands before the first heading. */
  readonly level: number;
  readonly line: number;
  readonly parent: Section | undefined;
  /** The prose directly under its heading. */
  readonly lines: ProseLine[];
}

/** A step: an item of a numbered list, or a heading such as "Step 2". */
export interface Step {
  /** Steps with the same list stand beside each other. */
  readonly list: string;
  readonly index: number;
  readonly lines: ProseLine[];
}

export interface ProseLine {
  readonly text: string;
  readonly line: number;
  readonly section: Section;
  readonly step: Step | undefined;
  /** The language of the fence that it stands in; empty for one without a language. */
  readonly fence: string | undefined;
}

/** Fences that show data or output; what stands there is not an instruction. */
const shown = /^(json[c5]?|ya?ml|log|txt|text|output|example|markdown|md|diff|html|xml|csv|console|mermaid)\b/i;

/** Reads the prose of a body. */
export function proseOf(body: readonly string[], firstLine: number): readonly ProseLine[] {
  const reader = new ProseReader();
  body.forEach((text, at) => {
    const visible = text.includes("<!--") ? withoutComments(text) : text;
    reader.take(text.length > lineMax ? "" : visible, firstLine + at);
  });
  return reader.prose;
}

const withoutComments = (text: string): string =>
  text.replaceAll(/<!--.*?-->/g, (comment) => " ".repeat(comment.length));

class ProseReader {
  readonly prose: ProseLine[] = [];
  #section: Section = { title: "", level: 0, line: 1, parent: undefined, lines: [] };
  #step: { readonly step: Step; readonly indent: number } | undefined;
  #heading: { readonly step: Step; readonly level: number } | undefined;
  readonly #lists = new Map<string, number>();
  #fence: { readonly mark: string; readonly language: string } | undefined;
  #quoted: string | undefined;
  #list = "";

  take(text: string, line: number): void {
    if (this.#inQuote(text) || this.#isFence(text)) return;
    if (this.#fence !== undefined && shown.test(this.#fence.language)) return;
    const heading = this.#fence === undefined ? /^(#{1,6})\s+(.*)$/.exec(text) : null;
    if (heading !== null) this.#open(heading[1]!.length, heading[2]!, line);
    else if (this.#fence === undefined) this.#item(text, line);
    const step = this.#step?.step ?? this.#heading?.step;
    const added: ProseLine = { text, line, section: this.#section, step, fence: this.#fence?.language };
    this.prose.push(added);
    step?.lines.push(added);
    if (heading === null) this.#section.lines.push(added);
  }

  /** Comments and examples end where they are closed, or with the file. */
  #inQuote(text: string): boolean {
    if (this.#quoted !== undefined) {
      if (text.includes(this.#quoted)) this.#quoted = undefined;
      return true;
    }
    const open = /^\s*<(!--|example|examples|commentary|sample)\b/i.exec(text)?.[1]?.toLowerCase();
    if (open === undefined) return false;
    const end = open === "!--" ? "-->" : `</${open}`;
    if (!text.includes(end)) this.#quoted = end;
    return true;
  }

  #isFence(text: string): boolean {
    const [, mark, language] = /^\s*(`{3,}|~{3,})\s*([^`]*)$/.exec(text) ?? [];
    if (mark === undefined) return false;
    if (this.#fence === undefined) this.#fence = { mark, language: (language ?? "").trim() };
    else if (mark.startsWith(this.#fence.mark) && (language ?? "").trim() === "") this.#fence = undefined;
    return true;
  }

  #open(level: number, title: string, line: number): void {
    let parent: Section | undefined = this.#section;
    while (parent !== undefined && parent.level >= level) parent = parent.parent;
    this.#section = { title, level, line, parent, lines: [] };
    this.#step = undefined;
    if (this.#heading !== undefined && level <= this.#heading.level) this.#heading = undefined;
    if (/^\W*(step|phase|stage)\s+\d+/i.test(title) || /^\d+[.)]\s/.test(title)) {
      const list = `heading ${level} ${parent?.line ?? 0}`;
      const index = this.#lists.get(list) ?? 0;
      this.#lists.set(list, index + 1);
      this.#heading = { step: { list, index, lines: [] }, level };
    }
  }

  #item(text: string, line: number): void {
    const [, space, number] = /^(\s*)(?:(\d+)[.)]|[-*+])\s+\S/.exec(text) ?? [];
    const indent = space?.length ?? /^\s*/.exec(text)![0].length;
    if (text.trim() !== "" && this.#step !== undefined && space === undefined && indent === 0) this.#step = undefined;
    if (space === undefined || (this.#step !== undefined && indent > this.#step.indent)) return;
    if (number === undefined) {
      this.#step = undefined;
      return;
    }
    const isNext = this.#step !== undefined && this.#step.indent === indent;
    if (!isNext) this.#list = `list ${line}`;
    const index = isNext ? this.#step!.step.index + 1 : 0;
    this.#step = { step: { list: this.#list, index, lines: [] }, indent };
  }
}
