// The files of a kept cloud: documents cut off at any byte, compaction, damaged lines, the
// charter's version, and the newest request rows.
import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UnreadableState } from "../../../emulator/persistence/lines-file.ts";
import { openDocuments, openRows, readCharter } from "../../../emulator/persistence/state.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-state-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("documents cut off at any byte are those of the last complete change", () => {
  const changes = fc.array(fc.dictionary(fc.constantFrom("a", "b", "c"), fc.string(), { maxKeys: 3 }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(changes, fc.nat(), fc.nat(), (moments, where, after) => {
      const file = path.join(folder, "documents.jsonl");
      rmSync(file, { force: true });
      const documents = openDocuments(folder);
      const written = [{ bytes: 0, moment: {} as object }];
      for (const moment of moments) {
        const before = Object.keys(written.at(-1)!.moment);
        documents.write({
          put: Object.entries(moment),
          remove: before.filter((key) => !Object.hasOwn(moment, key)),
        });
        written.push({ bytes: statSync(file).size, moment });
      }
      documents.close();
      const cut = where % (statSync(file).size + 1);
      truncateSync(file, cut);
      const reopened = openDocuments(folder);
      const latest = written.findLast(({ bytes }) => bytes <= cut)!.moment;
      expect(Object.fromEntries(reopened.found)).toEqual(latest);
      // The reopened file accepts further changes.
      reopened.write({ put: [["after", after]], remove: Object.keys(latest) });
      reopened.close();
      const again = openDocuments(folder);
      expect(Object.fromEntries(again.found)).toEqual({ after });
      again.close();
    }),
    { numRuns: 200 },
  );
});

test("a file of many changes is compacted, and a finished line that is no JSON is refused, not skipped", () => {
  const documents = openDocuments(folder);
  for (let count = 0; count < 3000; count += 1)
    documents.write({
      put: [
        ["steady", "x".repeat(500)],
        ["counter", { count, text: "y".repeat(500) }],
      ],
      remove: [],
    });
  documents.close();
  expect(statSync(path.join(folder, "documents.jsonl")).size).toBeLessThan(1_200_000);
  const reopened = openDocuments(folder);
  expect(reopened.found.get("counter")).toMatchObject({ count: 2999 });
  reopened.close();
  appendFileSync(path.join(folder, "documents.jsonl"), '{"put":\n{"put":{}}\n');
  expect(() => openDocuments(folder)).toThrow(UnreadableState);
});

test("a charter of another version is refused by name", () => {
  writeFileSync(path.join(folder, "charter.json"), '{"format":99}');
  expect(() => readCharter(folder)).toThrow(/format 99, and this emulator reads format 1/);
});

test("the newest rows are kept, never fewer than the table shows", () => {
  const rows = openRows<number>(folder, 10);
  for (let row = 0; row < 27; row += 1) rows.append(row);
  rows.close();
  const reopened = openRows<number>(folder, 10);
  expect(reopened.found).toEqual([17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
  reopened.forget();
  reopened.append(1);
  reopened.close();
  const again = openRows<number>(folder, 10);
  expect(again.found).toEqual([1]);
  again.close();
});
