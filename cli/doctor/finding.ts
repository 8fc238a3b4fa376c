// What a check of `ballast doctor` comes to, and the lines in which people read it. Knows no check.
import { BallastError } from "../../errors/catalogue.ts";
import { styled } from "../terminal.ts";

/** What a check says: that it is so, what is wrong and how it is mended, or why it cannot be known now. Lines are for machines. */
export type Said =
  | { readonly state: "ok" | "unknown"; readonly text: string; readonly lines?: readonly object[] }
  | { readonly state: "failed"; readonly error: BallastError };

/** One check by its name. */
export interface Check<Subject> {
  readonly name: string;
  readonly run: (subject: Subject) => Promise<Said>;
}

/** What a check found. */
export type Finding = Said & { readonly check: string };

export const ok = (text: string) => ({ state: "ok", text }) satisfies Said;
export const failed = (error: BallastError): Said => ({ state: "failed", error });
export const unknown = (text: string) => ({ state: "unknown", text }) satisfies Said;

/** Runs checks beside one another and gives what they found in their own order. An error of the catalogue is a finding; any other is our mistake. */
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

/** Gives a finding as lines for people. */
export function findingLines(finding: Finding): string {
  const head = (colour: "green" | "red" | "yellow") =>
    `${styled(colour, finding.state.padEnd(7))}  ${finding.check.padEnd(14)}`;
  if (finding.state !== "failed") return `${head(finding.state === "ok" ? "green" : "yellow")}  ${finding.text}`;
  const { id, message, fix, left } = finding.error;
  const indent = " ".repeat(25);
  return [
    `${head("red")}  ${id}  ${message}`,
    `${indent}fix   ${fix}`,
    ...(left ? [`${indent}left  ${left}`] : []),
  ].join("\n");
}

/** Gives a finding as machines read it. */
export function findingJson(finding: Finding): object {
  if (finding.state !== "failed") return finding;
  const { id, message, fix, left } = finding.error;
  return { check: finding.check, state: finding.state, error: { id, message, fix, ...(left ? { left } : {}) } };
}
