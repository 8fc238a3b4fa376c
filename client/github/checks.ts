// What the checks of a commit say: whether the workflows that were published work where they were published.
import { setTimeout as sleep } from "node:timers/promises";
import { restBefore } from "../../engines/retry.ts";
import type { Access } from "./access.ts";
import { call } from "./requests.ts";

/** A check as GitHub gives it. */
interface CheckRun {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly html_url: string;
}

/** A check that did not end well, or did not end in time. */
export interface FailedCheck {
  readonly name: string;
  readonly conclusion: string;
  readonly url: string;
}

const good = ["success", "neutral", "skipped"];
const rests = { firstRestSeconds: 1, restSecondsMax: 15, backoffRate: 1.5 };

/** Waits until every named check of a commit has ended. @returns those that did not end well */
export async function failedChecks(
  access: Access,
  commit: string,
  {
    names,
    seconds,
    cancel,
  }: { readonly names: readonly string[]; readonly seconds: number; readonly cancel: AbortSignal },
): Promise<readonly FailedCheck[]> {
  const began = performance.now();
  for (let attempts = 1; ; attempts += 1) {
    const found = await Promise.all(names.map((name) => newestRun(access, commit, name)));
    const ended = found.every((run) => run?.status === "completed");
    const spent = (performance.now() - began) / 1000;
    const rest = ended ? undefined : restBefore({ ...rests, budgetSeconds: seconds }, attempts, spent);
    if (rest === undefined) return names.flatMap((name, at) => failureOf(name, found[at], seconds));
    await sleep(rest * 1000, undefined, { signal: cancel });
  }
}

async function newestRun(access: Access, commit: string, name: string): Promise<CheckRun | undefined> {
  const path = `/commits/${commit}/check-runs?filter=latest&check_name=${encodeURIComponent(name)}`;
  const what = `the check ${name}`;
  const { check_runs } = await call<{ check_runs: readonly CheckRun[] }>(access, { method: "GET", path, what });
  return check_runs[0];
}

function failureOf(name: string, run: CheckRun | undefined, seconds: number): readonly FailedCheck[] {
  if (run?.status !== "completed")
    return [
      {
        name,
        conclusion: run === undefined ? `not begun in ${seconds} s` : `not ended in ${seconds} s`,
        url: run?.html_url ?? "",
      },
    ];
  return good.includes(run.conclusion ?? "")
    ? []
    : [{ name, conclusion: run.conclusion ?? "unknown", url: run.html_url }];
}
