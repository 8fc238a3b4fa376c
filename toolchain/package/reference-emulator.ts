// docs/reference/emulator.md: every resource type that the emulator serves, with its versions, and what it does with
// each field of a body. The data are those by which the emulator itself accepts and refuses.
import { type FieldClasses, numberMax } from "../../emulator/arm/field-classes.ts";
import { versionsServed } from "../../emulator/arm/published-types.ts";
import type { ResourceType } from "../../emulator/arm/resource.ts";
import { type Quirk, quirks } from "../../emulator/controls/quirks.ts";
import { resourceTypes } from "../../emulator/resource-types.ts";
import { code, generatedFrom, plain, table } from "./markdown.ts";

/** Gives the page. */
export function emulatorPage(): string {
  return [
    "# The emulator's resource types",
    generatedFrom("the tables in `emulator/`"),
    "Each field of a body is in one of four classes. A test compares them with Azure's published schemas, so that no " +
      "field is accepted by oversight. An entry stands for everything below it, and `[]` for each element of a list.",
    [
      "- **modelled**: has its effect; a wrong value is refused",
      "- **checked**: is checked as Azure checks it, is kept and shown, and has no further effect",
      "- **without effect**: is kept, shown and compared; `ballast emulator status` lists where a program sets one",
      "- **refused**: is refused by name (`EmulatorUnsupported`), or, if it is read-only, is never shown",
    ].join("\n"),
    "The [evidence](../evidence/emulator.md) lists what the emulator claims to do, with the tests that prove it.",
    ...resourceTypes.map(typeSection),
    quirksSection(),
    "",
  ].join("\n\n");
}

function typeSection({ type, apiVersions, fields, actions }: ResourceType): string {
  const versions = versionsServed(type, apiVersions).map(code).join(", ");
  return [
    `## ${type}`,
    `Versions: ${versions}.${actions ? ` Actions: ${Object.keys(actions).map(code).join(", ")}.` : ""}`,
    fields ? fieldTable(fields) : "Its fields are not listed one by one yet; Azure's published schema is checked.",
  ].join("\n\n");
}

function fieldTable({ modelled, validated, inert, unsupported, ranges = {} }: FieldClasses): string {
  const rows = [
    ...rowsOf("modelled", modelled),
    ...rowsOf("checked", validated),
    ...rowsOf("without effect", inert),
    ...rowsOf(
      "refused",
      Object.fromEntries(
        Object.entries(unsupported).map(([path, { why, harmless = [] }]) => [
          path,
          harmless.length === 0 ? why : `${why}; accepted: ${harmless.map((each) => code(String(each))).join(", ")}`,
        ]),
      ),
    ),
  ];
  return [
    table(
      ["field", "class", "what"],
      rows.toSorted(([one], [other]) => (one! < other! ? -1 : 1)),
    ).trimEnd(),
    ...rangeList(ranges),
  ].join("\n\n");
}

/** Lists the ranges of numbers, if there are any. */
const rangeList = (ranges: NonNullable<FieldClasses["ranges"]>): readonly string[] => {
  const entries = Object.entries(ranges).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const said = entries.map(([path, [least, greatest]]) =>
    greatest === numberMax ? `${code(path)} from ${least}` : `${code(path)} ${least} to ${greatest}`,
  );
  return said.length === 0 ? [] : [`Numbers: ${said.join("; ")}.`];
};

const rowsOf = (name: string, paths: { readonly [path: string]: string }): readonly (readonly string[])[] =>
  Object.entries(paths).map(([path, what]) => [code(path), name, plain(what)]);

const quirksSection = (): string =>
  [
    "## Quirks",
    "Dangerous quirks of the platform. Each can be switched off (`BALLAST_EMULATOR_WITHOUT`), so that a test shows " +
      "what notices. One that is off at the start is switched on by `BALLAST_EMULATOR_WITH`.",
    table(
      ["quirk", "Azure", "switched off"],
      Object.entries<Quirk>(quirks).map(([name, { azure, naive, offAtStart }]) => [
        code(name),
        plain(azure),
        plain(offAtStart === undefined ? naive : `${naive}; off at the start: ${offAtStart}`),
      ]),
    ).trimEnd(),
  ].join("\n\n");
