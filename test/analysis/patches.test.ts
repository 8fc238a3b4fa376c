// Patches on the examples of their rules: each that a rule offers is proven, removes its finding, and changes no other
// byte of the file. Which rules offer one is written here, so that none loses its patch unnoticed.
import { expect, test } from "vitest";
import { analyze } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import { provePatches } from "../../analysis/patches/prove.ts";
import { type Files, type Finding, rankOf } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { fingerprintOf } from "../../analysis/summary.ts";

const patching = [
  "agent-cannot-delegate",
  "agent-field-ignored",
  "agent-file-not-loaded",
  "cache-never-hits",
  "pending-dropped",
  "release-action-unpinned",
  "release-cancelled-midway",
  "release-deploy-without-lock",
  "release-no-timeout-holding-a-lock",
  "steps-drifted",
  "success-unverified",
  "workflow-needless-needs",
  "workflow-run-wrong-commit",
];

const plain = (files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([file, text]) => [file, text.replaceAll(/ *# <- finding/g, "")]));

/** Gives what the lines of one text have and those of another have not. */
const onlyIn = (text: string, other: string): readonly string[] => {
  const lines = new Set(other.split("\n"));
  return text.split("\n").filter((line) => !lines.has(line));
};

test("these rules offer a proven patch for one of their own examples, and no other does", async () => {
  const proving = new Set<string>();
  for (const rule of rulebook)
    for (const example of rule.failing) {
      const files = plain(example);
      const folder = folderOf(files);
      const { findings } = await analyze(folder, { asksGitHub: false });
      const wanted = findings.filter((finding) => finding.rule === rule.id && finding.repair !== undefined);
      const patches = await provePatches(folder, (file) => files[file]!, wanted, rulebook);
      expect(patches.dropped.map(({ because }) => `${rule.id}: ${because}`)).toEqual([]);
      if (patches.proven.length > 0) proving.add(rule.id);
      const after = await analyze(folderOf({ ...files, ...Object.fromEntries(patches.files) }), { asksGitHub: false });
      const left = after.findings.filter(({ severity }) => rankOf(severity) > 0).map((each) => each.rule);
      expect(wanted.length > 0 && left.includes(rule.id)).toBe(false);
      for (const [file, text] of patches.files) {
        expect(onlyIn(files[file]!, text).length).toBeLessThan(4);
        expect(onlyIn(text, files[file]!).length).toBeLessThan(4);
      }
    }
  expect([...proving].toSorted()).toEqual(patching);
});

test.each(["\n", "\r\n"])("a patch keeps line ends %j and a byte order mark", async (end) => {
  const file = ".github/workflows/ci.yml";
  const rule = rulebook.find(({ id }) => id === "cache-never-hits")!;
  const raw = `\uFEFF${plain(rule.failing[0]!)[file]!.replaceAll("\n", end)}`;
  const folder = folderOf({ [file]: raw });
  const { findings } = await analyze(folder, { asksGitHub: false });
  const { files } = await provePatches(folder, () => raw, findings, rulebook);
  const patched = files.get(file)!;
  const added = `          restore-keys: build-${end}`;
  expect(patched.replace(added, () => "")).toBe(raw);
  expect(patched).not.toBe(raw);
});

test("no finding is known by its line, so patches above it are proven and baselines survive", async () => {
  const failing = rulebook.flatMap(({ failing: all }) => all).flatMap((example) => Object.entries(plain(example)));
  const ids = (findings: readonly Finding[]): readonly string[] => findings.map(fingerprintOf).toSorted();
  for (const [file, text] of failing.filter(([name]) => name.startsWith(".github/workflows/"))) {
    const [before, after] = await Promise.all(
      [text, `\n\n${text}`].map((each) => analyze(folderOf({ [file]: each }), { asksGitHub: false })),
    );
    expect(ids(after!.findings), file).toEqual(ids(before!.findings));
  }
});
