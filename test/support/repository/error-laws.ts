// The laws of the catalogue of errors: their texts have one form, and a test expects each of them. The texts are judged
// as a user reads them, so the laws take the built errors in all their wordings.
import type { BallastError } from "../../../errors/catalogue.ts";
import type { Law } from "./laws.ts";
import { lineAt, type SourceFile } from "./source.ts";
import { literalText, nameOf, nodesOf, type Placed, rootOf } from "./syntax.ts";

/** One wording of an entry of the catalogue. */
export type Wording = Pick<BallastError, "id" | "message" | "fix" | "left"> & { readonly title: string };

/** Gives the file and line of an entry. */
function placeOf(id: string, files: readonly SourceFile[]): string {
  const file = files.find(({ path, text }) => path.startsWith("errors/") && text.includes(`"${id}"`));
  return file === undefined ? "errors:1" : `${file.path}:${lineAt(file.text, file.text.indexOf(`"${id}"`))}`;
}

/** A text of an error, the form that it must have, and what is wrong otherwise. */
interface Form {
  readonly part: "title" | "message" | "fix" | "left";
  readonly form: RegExp;
  readonly otherwise: string;
}

/** A part in `<…>` depends on the case, and stands for a text of any form. */
const forms: readonly Form[] = [
  { part: "title", form: /^([A-Z<]|ballast:)/, otherwise: "begin it with a capital letter" },
  { part: "title", form: /[^.]$/, otherwise: "remove its full stop: it is a heading" },
  { part: "message", form: /^([A-Z0-9<"]|[a-z-]+:)/, otherwise: "begin it with a capital letter" },
  // It may also end with what another program printed.
  { part: "message", form: /(\.|>\)?|:\s\S+)$/, otherwise: "end it with a full stop" },
  { part: "fix", form: /^[a-z<"`]/, otherwise: "begin it with a lower-case letter" },
  { part: "fix", form: /[^.]$/, otherwise: "remove its full stop: it often ends in a command to copy" },
  { part: "fix", form: /^(?!.*\. )/s, otherwise: "make it one piece of advice, without a full stop within" },
  { part: "left", form: /^[A-Z0-9<"]/, otherwise: "begin it with a capital letter" },
  { part: "left", form: /\.$/, otherwise: "end it with a full stop" },
];

/** Titles, messages, fixes and what was left have one form each. */
export const evenWordings =
  (wordings: Iterable<Wording>): Law =>
  (files) => [
    ...new Set(
      [...wordings].flatMap((wording) =>
        forms
          .filter(({ part, form }) => wording[part] !== undefined && !form.test(wording[part]))
          .map(
            ({ part, otherwise }) =>
              `${placeOf(wording.id, files)}  the ${part} of ${wording.id} is "${wording[part]}": ${otherwise}.`,
          ),
      ),
    ),
  ];

/** Tests of the repository itself name errors without provoking them. */
const provokesNothing = /^test\/repository\//;

/**
 * A test expects every error of the catalogue, and all ids have the same form. An expectation is a text or a
 * pattern in a test file, or a part of a test's data; comments, titles and programs in `test/support` are none.
 */
export const provokedErrors =
  (ids: Iterable<string>): Law =>
  (files) => {
    const expected = files
      .filter(({ path }) => path.startsWith("test/") && !provokesNothing.test(path))
      .flatMap(expectationsOf)
      .join("\n");
    const isExpected = (id: string): boolean => new RegExp(`(?<![\\w-])${id}(?![\\w-])`).test(expected);
    const all = [...ids];
    return [
      ...all
        .filter((id) => !/^[a-z]+(-[a-z0-9]+)+$/.test(id))
        .map(
          (id) =>
            `${placeOf(id, files)}  the error id ${id} does not have the form area-phrase: ` +
            "write it in kebab-case, subsystem first.",
        ),
      ...all
        .filter((id) => !isExpected(id))
        .map(
          (id) =>
            `${placeOf(id, files)}  no test provokes ${id}: ` +
            "write one that does and expects this id, or delete the entry.",
        ),
    ];
  };

/** Gives the texts with which a file of `test/` can expect something. */
function expectationsOf(file: SourceFile): readonly string[] {
  if (/\.ya?ml$/.test(file.path)) return [file.text.replaceAll(/(^|\s)#.*$/gm, "")];
  if (/\.(json|jsonl|txt)$/.test(file.path)) return [file.text];
  if (!file.path.endsWith(".test.ts")) return [];
  return nodesOf(file).flatMap((placed) => (isTitle(placed) ? [] : (textOf(placed) ?? [])));
}

const textOf = ({ node }: Placed): string | undefined =>
  node.type === "TemplateElement" ? node["value"].cooked : (node["regex"]?.pattern ?? literalText(node));

/** Reports whether a text is the title of a test or of a group, or a part of it. */
function isTitle(placed: Placed): boolean {
  const { node, field, parent } = placed;
  if (parent?.node.type === "TemplateLiteral" || parent?.node.type === "BinaryExpression") return isTitle(parent);
  return (
    field === "arguments" &&
    parent?.node["arguments"][0] === node &&
    ["test", "it", "describe"].includes(nameOf(rootOf(parent.node["callee"])) ?? "")
  );
}
