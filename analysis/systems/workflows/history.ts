// How long jobs took, waited and were retried, from what GitHub's API says about finished runs:
// `GET …/actions/runs/{id}/jobs`, one page, or a list of pages as `gh api --paginate --slurp` prints them. With
// `filter=all` it has earlier attempts too. Only jobs that succeeded say how long a job takes. A time is the median of
// at least five runs, because one run says nothing.
import type { Measured, Retries, Wait } from "./measured.ts";
import type { JobNode, WorkflowNode } from "./nodes.ts";

/** Where the history lies in a folder; `--history` puts a file from elsewhere there. */
export const historyFile = ".ballast/run-history.json";

const runsMin = 5;
const startsMin = 30;
const retriedRunsMin = 10;

interface RunJob {
  readonly workflow: string;
  readonly name: string;
  readonly run: string;
  readonly attempt: number;
  readonly hasPassed: boolean;
  /** When GitHub queued it; undefined in histories that leave it out. */
  readonly queued: number | undefined;
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
  if (!isRecord(value) || (value["conclusion"] !== "success" && value["conclusion"] !== "failure")) return [];
  const [from, to] = [secondsOf(value["started_at"]), secondsOf(value["completed_at"])];
  const { workflow_name: workflow, name, run_id: run, run_attempt: attempt = 1, conclusion } = value;
  if (typeof workflow !== "string" || typeof name !== "string" || from === undefined || to === undefined || to < from)
    return [];
  if (typeof run === "object" || typeof attempt === "object") return [];
  const queued = secondsOf(value["created_at"]);
  const hasPassed = conclusion === "success";
  return [{ workflow, name, run: String(run), attempt: Number(attempt), hasPassed, queued, from, to }];
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
export function measuredOf(
  history: History,
  workflow: WorkflowNode,
  job: JobNode,
  needs: readonly JobNode[] = [],
): Measured | undefined {
  const all = history.get(workflow.title) ?? [];
  const own = all.filter((each) => isOf(job, each));
  const spans = [
    ...byKey(
      own.filter(({ hasPassed }) => hasPassed),
      attemptOf,
    ).values(),
  ];
  if (spans.length < runsMin) return undefined;
  const from = (legs: readonly RunJob[]): number => Math.min(...legs.map((leg) => leg.from));
  const to = (legs: readonly RunJob[]): number => Math.max(...legs.map((leg) => leg.to));
  return {
    seconds: quantile(
      spans.map((legs) => to(legs) - from(legs)),
      0.5,
    ),
    runs: spans.length,
    machineSeconds: quantile(
      spans.map((legs) => legs.reduce((sum, leg) => sum + leg.to - leg.from, 0)),
      0.5,
    ),
    wait: waitOf(
      own,
      all.filter((each) => needs.some((need) => isOf(need, each))),
    ),
    retries: retriesOf(own),
  };
}

const isOf = ({ title, key }: JobNode, { name }: RunJob): boolean => {
  const shown = title?.text ?? key;
  return name === shown || name.startsWith(`${shown} (`) || name.startsWith(`${shown} / `);
};

const attemptOf = ({ run, attempt }: RunJob): string => `${run}/${attempt}`;

function byKey(jobs: readonly RunJob[], keyOf: (job: RunJob) => string): ReadonlyMap<string, readonly RunJob[]> {
  const groups = new Map<string, RunJob[]>();
  for (const job of jobs) groups.set(keyOf(job), [...(groups.get(keyOf(job)) ?? []), job]);
  return groups;
}

/** The value that a share of all values does not exceed, by nearest rank. */
const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1]!;

/** A job can start when it is queued and everything that it needs has ended. */
function waitOf(own: readonly RunJob[], needed: readonly RunJob[]): Wait | undefined {
  const ends = byKey(needed, attemptOf);
  const waits = own.flatMap((job) => {
    if (job.queued === undefined) return [];
    const ready = Math.max(job.queued, ...(ends.get(attemptOf(job)) ?? []).map(({ to }) => to));
    return [Math.max(0, job.from - ready)];
  });
  if (waits.length < startsMin) return undefined;
  return { seconds: quantile(waits, 0.5), ninetieth: quantile(waits, 0.9), starts: waits.length };
}

/** Attempts of one run have the same commit: one that fails and a later one that passes differ by chance. */
function retriesOf(own: readonly RunJob[]): Retries | undefined {
  const runs = [...byKey(own, ({ run }) => run).values()];
  if (runs.length < retriedRunsMin) return undefined;
  const passed = runs.filter((legs) => {
    const attempts = [...byKey(legs, attemptOf).values()].toSorted((one, other) => one[0]!.attempt - other[0]!.attempt);
    const last = attempts.at(-1)!;
    const isPassed = last.every(({ hasPassed }) => hasPassed);
    return isPassed && attempts.slice(0, -1).some((each) => each.some(({ hasPassed }) => !hasPassed));
  });
  return { passed: passed.length, runs: runs.length };
}
