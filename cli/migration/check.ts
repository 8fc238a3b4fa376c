// What `ballast migration check` refuses: statements that the stable revision cannot live with while both revisions
// serve, and statements that lock a table for long. squawk judges them; a few it does not know are judged here.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { migrationLinterMissing } from "../../errors/migration.ts";
import { type Migration, type Phase, withoutComments } from "./files.ts";

/** One statement that is refused. */
export interface Refusal {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Rules of squawk about what an older program cannot live with. A contract is there to break these. */
const breaking = [
  "adding-not-nullable-field",
  "adding-required-field",
  "ban-drop-column",
  "ban-drop-not-null",
  "ban-drop-table",
  "changing-column-type",
  "renaming-column",
  "renaming-table",
];
/** Rules about locks that stop the program, and about statements that cannot be run as they are. */
const always = [
  "adding-field-with-default",
  "adding-foreign-key-constraint",
  "adding-serial-primary-key-field",
  "ban-alter-domain-with-add-constraint",
  "ban-drop-database",
  "ban-truncate-cascade",
  "constraint-missing-not-valid",
  "disallowed-unique-constraint",
  "require-concurrent-index-creation",
  "require-concurrent-index-deletion",
  "syntax-error",
  "transaction-nesting",
];

/** Lists what is refused in the files of a phase. @throws migration-linter-missing */
export function refusals(all: readonly Migration[], phase: Phase, folder: string): readonly Refusal[] {
  const files = all.filter((each) => each.phase === phase);
  const rules = new Set(phase === "expand" ? [...breaking, ...always] : always);
  const found = files.length === 0 ? [] : squawk(files, folder).filter(({ rule }) => rules.has(rule));
  return [...found, ...(phase === "expand" ? files.flatMap(removals) : [])].toSorted(
    (one, other) => (one.file < other.file ? -1 : Number(one.file > other.file)) || one.line - other.line,
  );
}

interface SquawkFinding {
  readonly file: string;
  readonly line: number;
  readonly rule_name: string;
  readonly message: string;
}

function squawk(files: readonly Migration[], folder: string): readonly Refusal[] {
  const paths = files.map(({ file }) => join(folder, file));
  const { status, stdout, error } = spawnSync(linter(), ["--reporter", "json", ...paths], {
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
  // 1 means that it found something.
  if (error !== undefined || (status !== 0 && status !== 1))
    throw migrationLinterMissing({ reason: error?.message ?? `it ended with ${status}` });
  const found = JSON.parse(stdout) as readonly SquawkFinding[];
  return found.map(({ file, line, rule_name: rule, message }) => ({
    file: file.slice(file.lastIndexOf("/") + 1),
    line: line + 1,
    rule,
    message: message.replace(/\.$/, ""),
  }));
}

/** Finds the program in the project's packages, or in ours: npm brings one for each platform. */
function linter(): string {
  for (const from of [join(process.cwd(), "package.json"), import.meta.filename])
    try {
      const own = createRequire(from).resolve("squawk-cli/package.json");
      const platform = createRequire(own).resolve(`@squawk-cli/${process.platform}-${process.arch}/package.json`);
      return join(platform, "..", "bin", process.platform === "win32" ? "squawk.exe" : "squawk");
    } catch {
      // It is not there; the next place may have it.
    }
  throw migrationLinterMissing({ reason: "no package squawk-cli is installed" });
}

const removal = new RegExp(
  "^\\s*(drop\\s+(?:view|materialized|function|procedure|type|schema|sequence|trigger)|truncate|delete\\s+from|" +
    "alter\\s+type[^;]*\\b(?:rename|drop))\\b",
  "gim",
);

/** Statements that take something away, which squawk does not know: whoever reads it now would miss it. */
const removals = ({ file, text }: Migration): readonly Refusal[] =>
  [...withoutComments(text).matchAll(removal)].map((match) => ({
    file,
    line: withoutComments(text)
      .slice(0, match.index + match[0].length)
      .split("\n").length,
    rule: "expand-only-adds",
    message: `${match[1]!.replaceAll(/\s+/g, " ").toUpperCase()} takes away what the stable revision may use`,
  }));
