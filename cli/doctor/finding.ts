// What the checks of `ballast doctor` have in common: the form of a check and of its result, a runner, and the output
// for people and for machines.
import { BallastError } from "../../errors/catalogue.ts";
import { styled } from "../terminal.ts";

/** The result of a check. `unknown` is no failure: the check cannot be answered now, for the reason in `message`. */
export type CheckResult =
  | { readonly state: "ok" | "unknown"; readonly message: string }
  | { readonly state: "failed"; readonly error: BallastError };

/** One check and its name. */
export interface Check<Subject> {
  readonly name: string;
  readonly run: (subject: Subject) => Promise<CheckResult>;
}

/** The result of a check, with the check's name. */
export type Finding = CheckResult & { readonly check: string };

export const ok = (message: string) => ({ state: "ok", message }) satisfies CheckResult;
export const failed = (error: BallastError): CheckResult => ({ state: "failed", error });
export const unknown = (message: string) => ({ state: "unknown", message }) satisfies CheckResult;

/**
 * Runs checks concurrently and gives their findings in the order of the checks.
 *
 * An error of the catalogue that a check throws is a finding. Any other error is a bug and is thrown.
 */
export const examine = <Subject>(checks: readonly Check<Subject>[], subject: Subject): Promise<readonly Finding[]> =>
  Promise.all(
    checks.map(async ({ name, run }) => ({
      check: name,
      ...(await run(subject).catch((thrown: unknown) => {
        if (thrown instanceof BallastError) return failed(thrown);
        throw thrown;
      })),
    })),
  );

/** Formats a finding for people. */
export function findingLines(finding: Finding): string {
  const head = (colour: "green" | "red" | "yellow") =>
    `${styled(colour, finding.state.padEnd(7))}  ${finding.check.padEnd(14)}`;
  if (finding.state !== "failed") return `${head(finding.state === "ok" ? "green" : "yellow")}  ${finding.message}`;
  const { id, message, fix, left } = finding.error;
  const indent = " ".repeat(25);
  return [
    `${head("red")}  ${id}  ${message}`,
    `${indent}fix   ${fix}`,
    ...(left ? [`${indent}left  ${left}`] : []),
  ].join("\n");
}

/** Gives a finding as it appears in the JSON output. */
export function findingJson(finding: Finding): object {
  if (finding.state !== "failed") return finding;
  const { id, message, fix, left } = finding.error;
  return { check: finding.check, state: finding.state, error: { id, message, fix, ...(left ? { left } : {}) } };
}
