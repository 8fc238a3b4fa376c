// How long jobs took, from what GitHub's API says about finished runs: `GET …/actions/runs/{id}/jobs`, one page, or a
// list of pages as `gh api --paginate --slurp` prints them. Only jobs that succeeded count. A time is the median of at
// least five runs, because one run says nothing.
import type { Measured } from "./measured.ts";
import type { JobNode, WorkflowNode } from "./nodes.ts";

/** Where the history lies in a folder; `--history` puts a file from elsewhere there. */
export const historyFile = ".ballast/run-history.json";

const runsMin = 5;

interface RunJob {
  readonly workflow: string;
  readonly name: string;
  readonly run: string;
  readonly from: number;
  readonly to: number;
}

/** The jobs of a history, by the name of their workflow. */
export type History = ReadonlyMap<string, readonly RunJob[]>;

/** Reads a history. @returns undefined if the text is none */
export function readHistory(text: string): History | undefined {
  const jobs = pagesOf(text)?.flatMap((page) => (isRecord(page) && Array.isArray(page["jobs"]) ? page["jobs"] : []));
  if (jobs === undefined) return undefined;
  const byWorkflow = new Map<string, RunJob[]>();
  for (const job of jobs.flatMap(runJobOf)) {
    const known = byWorkflow.get(job.workflow);
    if (known) known.push(job);
    else byWorkflow.set(job.workflow, [job]);
  }
  return byWorkflow;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function pagesOf(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
    return isRecord(value) && Array.isArray(value["jobs"]) ? [value] : undefined;
  } catch {
    return undefined;
  }
}

function runJobOf(value: unknown): readonly RunJob[] {
  if (!isRecord(value) || value["conclusion"] !== "success") return [];
  const [from, to] = [secondsOf(value["started_at"]), secondsOf(value["completed_at"])];
  const { workflow_name: workflow, name, run_id: run, run_attempt: attempt = 1 } = value;
  if (typeof workflow !== "string" || typeof name !== "string" || from === undefined || to === undefined || to < from)
    return [];
  return [{ workflow, name, run: `${String(run)}/${String(attempt)}`, from, to }];
}

const timeForm = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?Z$/;

/** Gives a time of the API in seconds. Days are counted here, so that no clock and no zone of the machine matters. */
function secondsOf(value: unknown): number | undefined {
  const parts = typeof value === "string" ? timeForm.exec(value)?.slice(1).map(Number) : undefined;
  if (parts === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  // Days since the year 0 of a year that begins in March, so that the leap day is its last.
  const [y, m] = month > 2 ? [year, month - 3] : [year - 1, month + 9];
  const days = 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return (days + Math.floor((153 * m + 2) / 5) + day) * 86_400 + hour * 3600 + minute * 60 + second;
}

/**
 * Gives how long a job took: from the first start to the last end of all that it is in a run, since a matrix has
 * several legs and a called workflow several jobs.
 */
export function measuredOf(history: History, workflow: WorkflowNode, job: JobNode): Measured | undefined {
  const title = job.title?.text ?? job.key;
  const spans = new Map<string, { from: number; to: number }>();
  for (const { name, run, from, to } of history.get(workflow.title) ?? []) {
    if (name !== title && !name.startsWith(`${title} (`) && !name.startsWith(`${title} / `)) continue;
    const known = spans.get(run);
    spans.set(run, { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
  }
  if (spans.size < runsMin) return undefined;
  const seconds = [...spans.values()].map(({ from, to }) => to - from).toSorted((one, other) => one - other);
  return { seconds: seconds[Math.ceil(seconds.length / 2) - 1]!, runs: seconds.length };
}
