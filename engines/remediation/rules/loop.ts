// An alert that its own action trips again. The guard `self-caused` cuts such a loop while it runs; a policy that needs
// it should not have been written.
import type { RunbookName } from "../runbooks.ts";

/** What an action leaves in metrics, and in the rows that log rules count, whatever the cause was. */
const traces: Partial<Readonly<Record<RunbookName, { readonly metrics: readonly string[]; readonly rows: RegExp }>>> = {
  "restart-revision": { metrics: ["restartcount", "replicas"], rows: /restart|terminat|stopped/i },
  "return-to-previous": { metrics: ["replicas"], rows: /deactivat|revision(Update|Provision)/i },
  // A login that fails is what a rotation repairs, and none fails through it: only old sessions are ended.
  "end-blocking-session": { metrics: [], rows: /57P01|terminating connection/i },
  "rotate-credential": { metrics: [], rows: /57P01|terminating connection/i },
};

/** What an alert rule watches. */
export interface Watched {
  readonly metrics: readonly string[];
  readonly queries: readonly string[];
}

/** Why an action trips the alert that it answers. */
export interface Loop {
  readonly why: string;
  /** Whether only a word of the query says so: the word may stand there to leave these rows out. */
  readonly isGuess: boolean;
}

/** Says why an action trips the alert that it answers; undefined if it leaves no trace there. */
export function loopOf({ metrics, queries }: Watched, runbook: RunbookName): Loop | undefined {
  const trace = traces[runbook];
  if (trace === undefined) return undefined;
  const metric = metrics.find((each) => trace.metrics.includes(each.toLowerCase()));
  if (metric !== undefined) return { why: `${runbook} changes ${metric}, which the alert watches`, isGuess: false };
  const row = queries.map((query) => query.match(trace.rows)?.[0]).find((each) => each !== undefined);
  if (row === undefined) return undefined;
  return { why: `${runbook} writes rows of the kind that the alert counts ("${row}")`, isGuess: true };
}
