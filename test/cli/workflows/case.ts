// What the cases of all reusable workflows share: their form, their inputs, and lines of the journal.
import { createHash } from "node:crypto";
import type { Run } from "./run-act.ts";

export interface Case {
  readonly title: string;
  readonly run: Run;
  readonly isSuccess: boolean;
  /** The whole journal without what every job does. */
  readonly journal: readonly string[];
  /** Texts in the outputs that a caller reads. */
  readonly outputs?: readonly string[];
  /** What the summary of the run says. */
  readonly summary?: string;
}

export const id = "00000000-0000-0000-0000-0000ba11a57e";
export const azure = { "azure-client-id": id, "azure-tenant-id": id, "azure-subscription-id": id };
export const onStack = { stack: "prod", ...azure };
export const onEnvironment = { ...onStack, environment: "prod" };

export const runUrl = "--run-url https://github.com/nektos/act/actions/runs/1";

export const closed = (key: string): string => `ballast issue close --key ${key} ${runUrl}`;
export const opened = (key: string, title: string, output = ""): string =>
  `ballast issue open --key ${key} --title ${title} ${runUrl}${output && ` --output evidence/${output}`}`;
const hashed = (text: string, length: number): string =>
  createHash("sha256").update(text).digest("hex").slice(0, length);
/** The trace of the run that act plays, by its repository and its number. */
export const trace = hashed("nektos/act/1", 32);
/** The same for a command of a job at its first attempt. */
export const traceparentOf = (job: string): string => `00-${trace}-${hashed(`nektos/act/1/${job}/1`, 16)}-01`;
export const checkout = "actions/checkout second";
