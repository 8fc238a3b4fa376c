// The laws of words, over every text of the repository and over small bad texts.
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownWords } from "../support/repository/exceptions.ts";
import { readRepository, type SourceFile } from "../support/repository/source.ts";
import { noOldWords, plainPhrases } from "../support/repository/word-laws.ts";

const repository = readRepository(join(import.meta.dirname, "..", "..")).filter(
  ({ path }) => !path.endsWith("package-lock.json") && !path.startsWith("emulator/azure-specs/"),
);
const file = (path: string, text: string): SourceFile => ({ path, text, executable: false });

test("no text contains a phrase that a reader reads twice", () =>
  expect(plainPhrases(ownWords)(repository)).toEqual([]));
test("no text contains an old word", () => expect(noOldWords(ownWords)(repository)).toEqual([]));
test("a text that may contain them does", () => {
  const listed = Object.keys(ownWords).map((path) => repository.find((each) => each.path === path)!);
  for (const text of listed) expect([...plainPhrases({})([text]), ...noOldWords({})([text])]).not.toEqual([]);
});

test.each([
  "a revision whom nobody asked for",
  "Such a one is refused.",
  "somebody else moved the traffic",
  "the app is to have two revisions",
  "it takes 20 s at the least",
  "by now it has ended",
  "// a word whom\n// nobody reads",
  " * at the\n * least",
])("the phrase in %j is found", (text) => expect(plainPhrases({})([file("a.md", `\n${text}`)])).toHaveLength(1));

test.each([
  "the stand-in answers",
  "`localcloud`",
  "the local cloud",
  "ballast local up",
  "ballast simulate",
  "shadow limits",
  "in hindsight",
  "the kill table",
  "the sweep takes a minute",
  "const a = 'stranded';",
])("the old word in %j is found", (text) => expect(noOldWords({})([file("a.ts", text)])).toHaveLength(1));

test("other words pass, and so do texts with a reason", () => {
  const text = "impatient; sweepstake; locally; a local port; nobody else; at least; by nowhere; standing in";
  expect([...plainPhrases({})([file("a.md", text)]), ...noOldWords({})([file("a.md", text)])]).toEqual([]);
  expect(noOldWords({ "a.md": "it tells history" })([file("a.md", "the stand-in")])).toEqual([]);
});
