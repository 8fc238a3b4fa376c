// The files that a comment is made of: a preview, what the policies find in it and in the base, and what the judge can
// see of each service. Each is the JSON of another command, so a file is refused with the name of that command.
import { existsSync, readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { parsedJson } from "../../engines/parsed-json.ts";
import { commentSourceUnreadable } from "../../errors/github.ts";
import { type Changes, readChanges } from "./changes.ts";
import { type PolicyReport, policyReport } from "./findings.ts";

/** One course of a rollout, as `ballast power --json` estimates it. */
interface Course {
  readonly ending: string;
  readonly seconds: number;
}

/** What `ballast power --json` says, as far as a comment needs it. */
export interface PowerReport {
  readonly traffic: { readonly requestsPerMinute: number };
  readonly healthy: Course;
  readonly faults: readonly { readonly name: string; readonly course: Course }[];
  readonly shortfalls: readonly string[];
  readonly cautions: readonly string[];
}

/** Reads a preview. @throws comment-source-unreadable */
export function previewIn(file: string): Changes {
  const from = "`pulumi preview --json --show-sames`";
  const changes = readChanges(jsonIn(file, from));
  if (changes === undefined)
    throw commentSourceUnreadable({ file, reason: "it has no steps of a preview of one stack", from });
  return changes;
}

/** Reads a report of the policies. @throws comment-source-unreadable */
export function policiesIn(file: string): PolicyReport {
  const from = "`ballast policy check --format json`";
  const report = policyReport(jsonIn(file, from));
  if (report === undefined) throw commentSourceUnreadable({ file, reason: "it is no report of the policies", from });
  return report;
}

/** Reads what the judge can see of a service. @throws comment-source-unreadable */
export function powerIn(file: string): PowerReport {
  const from = "`ballast power --json`";
  const json = jsonIn(file, from);
  if (!isReport(json)) throw commentSourceUnreadable({ file, reason: "it has no estimate of a plan", from });
  return json;
}

function isReport(value: unknown): value is PowerReport {
  const json = value as Partial<PowerReport> | null | undefined;
  const isEstimate = typeof json?.traffic?.requestsPerMinute === "number" && typeof json.healthy?.seconds === "number";
  return isEstimate && [json?.faults, json?.shortfalls, json?.cautions].every(Array.isArray);
}

/** What the judge can see of all releases, by app, and why that is not known of some. */
export interface PowerReports {
  readonly seen: ReadonlyMap<string, PowerReport>;
  readonly unknown: ReadonlyMap<string, string>;
}

/** Reads what the judge can see of each release of a preview. @throws comment-source-unreadable */
export function plansIn(file: string): PowerReports {
  const from = "`ballast power --preview --json`";
  const { releases } = (jsonIn(file, from) ?? {}) as { readonly releases?: unknown };
  if (!Array.isArray(releases)) throw commentSourceUnreadable({ file, reason: "it has no list of releases", from });
  const known = releases.filter((each) => each?.unknown === undefined);
  if (!known.every(isReport)) throw commentSourceUnreadable({ file, reason: "it has no estimate of a plan", from });
  const named = (each: object): string => String((each as { readonly app?: unknown }).app);
  return {
    seen: new Map(known.map((each) => [named(each), each])),
    unknown: new Map(
      releases.filter((each) => !known.includes(each)).map((each) => [named(each), String(each.unknown)]),
    ),
  };
}

/** The files in which Pulumi looks for a project. */
const projectFiles = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"];

/** Gives the name of the Pulumi project in the working directory, if there is one. */
export function projectHere(): string | undefined {
  const file = projectFiles.find((each) => existsSync(each));
  const name = file && parseDocument(readFileSync(file, "utf8")).get("name"); // JSON is YAML
  return typeof name === "string" ? name : undefined;
}

function jsonIn(file: string, from: string): unknown {
  const json = parsedJson(textIn(file, from));
  // A parser's message would quote the text, which may hold a secret.
  if (json === undefined) throw commentSourceUnreadable({ file, reason: "it is not JSON", from });
  return json;
}

/** Reads what another command has written. @throws comment-source-unreadable */
export function textIn(file: string, from: string): string {
  try {
    return decoded(readFileSync(file));
  } catch (error) {
    const reason = `it cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw commentSourceUnreadable({ file, reason, from });
  }
}

/** Reads a text in the encoding that its first bytes name: a shell of Windows writes another than UTF-8. */
function decoded(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes); // it leaves the mark out
}
