// The migrations of a folder. A file says in its name in which phase it runs: 0007_email.expand.sql comes before a
// rollout, 0007_email.contract.sql after it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { migrationFolderUnclear } from "../../errors/migration.ts";

export const phases = ["expand", "contract"] as const;
export type Phase = (typeof phases)[number];

/** One file. */
export interface Migration {
  readonly file: string;
  /** The name without the phase, which both halves of a change have: `0007_email`. */
  readonly change: string;
  readonly phase: Phase;
  readonly text: string;
  readonly hash: string;
}

const shape = /^(\d+_[\w-]+)\.(expand|contract)\.sql$/;

/** Reads all migrations, in the order of their names. @throws migration-folder-unclear */
export function migrationsIn(folder: string): readonly Migration[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw migrationFolderUnclear({ folder, reason: "it is no folder" });
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  const wrong = names.filter((name) => !shape.test(name));
  if (wrong.length > 0)
    throw migrationFolderUnclear({ folder, reason: `${wrong.join(", ")} does not say in its name when it runs` });
  if (names.length === 0) throw migrationFolderUnclear({ folder, reason: "it has no file that ends in .sql" });
  return names.toSorted().map((file) => {
    const [, change, phase] = shape.exec(file) as unknown as [string, string, Phase];
    const text = readFileSync(join(folder, file), "utf8");
    return { file, change, phase, text, hash: createHash("sha256").update(text).digest("hex") };
  });
}

/** Gives the statements' text without comments, so that words in them are not read as SQL. */
export const withoutComments = (text: string): string =>
  text.replaceAll(/--[^\n]*/g, "").replaceAll(/\/\*[^]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ""));
