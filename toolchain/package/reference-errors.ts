// docs/reference/errors.md: every error of the catalogue with its texts, a section for each file of errors/. Texts are
// functions of the case at hand; they are called with placeholders.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { BallastError, catalogue, exitCodeMeanings, type Listed } from "../../errors/catalogue.ts";
import type { Sources } from "./exported-types.ts";
import { code, generatedFrom, plain, sentence } from "./markdown.ts";
import { placeholder } from "./placeholder.ts";

const root = join(import.meta.dirname, "..", "..");

type Made = Readonly<Record<string, unknown>>;

/** Gives what each file with errors exports, by the file's path, and with it lists all of them in the catalogue. */
export async function importErrors(): Promise<ReadonlyMap<string, Made>> {
  const files = globSync("errors/*.ts", { cwd: root })
    .filter((file) => basename(file) !== "catalogue.ts")
    .toSorted();
  const made = new Map<string, Made>();
  // One after another: some of them import each other, and two imports at once may load a file twice.
  for (const file of files) made.set(file, (await import(join(root, file))) as Made);
  return made;
}

/** Gives the page. */
export function errorsPage(errors: ReadonlyMap<string, Made>, sources: Sources): string {
  return [
    "# Errors",
    `${generatedFrom("`errors/`")} A part in \`<…>\` depends on the case.`,
    "An id never changes its meaning. An *error* ends what was asked for. After a *warning* the work continues. " +
      "If a text depends on the case, each of its wordings is listed. " +
      "The exit code is that of a `ballast` command that ends with the error:",
    Object.entries(exitCodeMeanings)
      .map(([exitCode, meaning]) => `- ${exitCode}: ${meaning}`)
      .join("\n"),
    [...errors.keys()].map((file) => `- [${nameOf(file)}](#${nameOf(file)}): ${purposeOf(file)}`).join("\n"),
    ...[...errors].flatMap(([file, made]) => [`## ${nameOf(file)}`, ...entriesOf(file, made, sources)]),
    "",
  ].join("\n\n");
}

const nameOf = (file: string): string => basename(file, ".ts");

/** Gives the first sentence of the comment at the head of a file. */
function purposeOf(file: string): string {
  const [comment] = /^(?:\/\/ .*\n)+/.exec(readFileSync(join(root, file), "utf8"))!;
  return comment
    .replaceAll(/^\/\/ /gm, "")
    .replaceAll("\n", " ")
    .split(/(?<=\.) /)[0]!;
}

/** Gives each error that a file exports, in each of its wordings, by the name of its export. */
export const wordingsOf = (exports: Made): ReadonlyMap<string, readonly BallastError[]> =>
  new Map(
    Object.entries(exports).flatMap(([name, make]) => {
      if (typeof make !== "function") return [];
      const made = (variant: object): unknown => make(placeholder("case", variant));
      const first = made({});
      if (!(first instanceof BallastError)) return [];
      return [
        [
          name,
          catalogue()
            .get(first.id)!
            .variants.map((variant) => made(variant) as BallastError),
        ],
      ];
    }),
  );

function entriesOf(file: string, exports: Made, sources: Sources): readonly string[] {
  const documentation = new Map(sources.exports(file).map((each) => [each.name, each.documentation]));
  return [...wordingsOf(exports)]
    .map(([name, wordings]) => {
      const { id } = wordings[0]!;
      return { id, text: entry(id, catalogue().get(id)!, wordings, documentation.get(name) ?? "") };
    })
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map(({ text }) => text);
}

function entry(id: string, listed: Listed, wordings: readonly BallastError[], context: string): string {
  const weight = listed.severity === "warning" ? "Warning." : `Error, exit code ${listed.exitCode}.`;
  const lines = (["message", "fix", "left"] as const).flatMap((part) =>
    [...new Set(wordings.flatMap((error) => error[part] ?? []))].map((text) => `- ${part}: ${shown(text)}`),
  );
  return [`### ${code(id)}`, `**${plain(sentence(listed.title))}** ${weight} ${plain(context)}`, lines.join("\n")].join(
    "\n\n",
  );
}

/** Gives a text of an error as it reads, its lines as lines. */
const shown = (text: string): string =>
  plain(text.replaceAll(/\bNaN\b/g, "<number>"))
    .split(/\s*\n\s*/)
    .join("\\\n  ");
