// What `ballast workflows diff` does: it reads the contracts of both sides, compares them, and prints what changed.
import { print, printJson } from "../terminal.ts";
import { allowsBreaking, compareAll } from "./compare.ts";
import { contractsAt } from "./sides.ts";

export interface DiffOptions {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** Runs the command. @throws workflows-side-unreadable */
export function runDiff(before: string, after: string, { from, to, json }: DiffOptions): void {
  const differences = compareAll(contractsAt(before), contractsAt(after));
  const breaking = differences.filter(({ isBreaking }) => isBreaking);
  const isAllowed = from !== undefined && to !== undefined && allowsBreaking(from, to);
  if (breaking.length > 0 && !isAllowed) process.exitCode = 1;
  if (json) return printJson({ differences, breaking: breaking.length, isAllowed: breaking.length === 0 || isAllowed });
  if (differences.length === 0) return print("No contract changed.");
  const lines = differences.map(
    ({ workflow, isBreaking, message }) => `${isBreaking ? "breaking" : "        "}  ${workflow}: ${message}`,
  );
  print([...lines, verdictOf(breaking.length, isAllowed, from, to)].join("\n"));
}

function verdictOf(breaking: number, isAllowed: boolean, from = "", to = ""): string {
  if (breaking === 0) return "Callers of the older version work with the newer one.";
  if (isAllowed) return `The step from ${from} to ${to} allows ${breaking} breaking changes.`;
  return `${breaking} of these changes break callers, so the major version must move.`;
}
