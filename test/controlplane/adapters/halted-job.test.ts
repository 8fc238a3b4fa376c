// The halt of what `start-job` began: which executions are stopped, what counts as their end, and what cannot be seen.
import { RestError } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { startJob } from "../../../controlplane/adapters/azure/runbooks.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";

const key = "remediation/app/shop/web/a#0@1";
const since = Date.parse("2026-01-05T09:00:00Z");

/** An execution, and the statuses that it shows one look after another once it was asked to stop. */
interface Run {
  readonly name: string;
  readonly status: string;
  readonly ofKey?: string;
  readonly startedAt?: number;
  readonly endTime?: Date;
  readonly afterStop?: readonly string[];
}

const refused = (statusCode: number, code: string) => new RestError("no", { statusCode, code });

/** A job whose executions are these; a stop that is refused changes none. */
function jobOf(
  runs: readonly Run[],
  {
    list,
    stop,
    seconds = 60,
  }: { readonly list?: RestError; readonly stop?: RestError; readonly seconds?: number } = {},
) {
  const stopped: string[] = [];
  const left = new Map(runs.map(({ name, afterStop = ["Stopped"] }) => [name, [...afterStop]]));
  const statusOf = ({ name, status }: Run): string => {
    const coming = left.get(name)!;
    if (!stopped.includes(name)) return status;
    return coming.length > 1 ? coming.shift()! : coming[0]!;
  };
  const apps = {
    jobsExecutions: {
      list: async function* () {
        if (list !== undefined) throw list;
        for (const run of runs)
          yield {
            name: run.name,
            status: statusOf(run),
            startTime: new Date(run.startedAt ?? since),
            endTime: run.endTime,
            template: { containers: [{ env: [{ name: "BALLAST_KEY", value: run.ofKey ?? key }] }] },
          };
      },
    },
    jobs: {
      stopExecution: (_group: string, _job: string, name: string) => ({
        pollUntilDone: async () => {
          if (stop !== undefined) throw stop;
          stopped.push(name);
        },
      }),
    },
  };
  const patience = { requestSeconds: 0.2, operationSeconds: seconds, attemptsMax: 2 };
  const cloud = { apps, ready: async () => undefined, patience } as unknown as Parameters<typeof startJob>[0];
  return { port: startJob(cloud, systemTime, Date.now), stopped };
}

const effect = (follow: string | undefined, undoJob?: string) =>
  ({
    kind: "Halt",
    target: "app/shop/web",
    rung: { runbook: "start-job", approval: "none", job: "warm", ...(undoJob && { undoJob }) },
    key,
    since,
    follow,
  }) as const;
const running: Run = { name: "warm-1", status: "Running" };

describe("a halt", () => {
  test.each<readonly [string, readonly Run[], string | undefined, object, readonly string[]]>([
    ["stops what runs", [running], "warm/warm-1", { good: false, message: "the job warm was stopped" }, ["warm-1"]],
    [
      "waits until it shows as ended",
      [{ ...running, afterStop: ["Running", "Processing", "Unknown", "Stopped"] }],
      "warm/warm-1",
      { good: false, message: "the job warm was stopped" },
      ["warm-1"],
    ],
    [
      "finds by the key what a start without an answer began",
      [running],
      undefined,
      { good: false, message: "the job warm was stopped" },
      ["warm-1"],
    ],
    [
      "stops each execution of the action once",
      [running, { ...running, name: "warm-2" }],
      undefined,
      { good: false, message: "the job warm was stopped" },
      ["warm-1", "warm-2"],
    ],
    [
      "stops no execution of another action, and none from before",
      [
        { ...running, ofKey: "another" },
        { ...running, name: "warm-0", startedAt: since - 3_600_000 },
      ],
      undefined,
      { good: false, message: "no execution of the job warm was started" },
      [],
    ],
    [
      "leaves alone what has ended well",
      [{ ...running, status: "Succeeded" }],
      "warm/warm-1",
      { good: true, message: "the job warm succeeded" },
      [],
    ],
    [
      "takes what ended well before the stop reached it as good",
      [{ ...running, afterStop: ["Succeeded"] }],
      "warm/warm-1",
      { good: true, message: "the job warm succeeded" },
      ["warm-1"],
    ],
    [
      "takes what failed by itself as failed",
      [{ ...running, status: "Failed" }],
      "warm/warm-1",
      { good: false, message: "the job warm ended as Failed" },
      [],
    ],
    [
      "takes a status without an end as running",
      [{ ...running, status: "Degraded" }],
      "warm/warm-1",
      { good: false, message: "the job warm was stopped" },
      ["warm-1"],
    ],
    [
      "takes a status with an end as ended",
      [{ ...running, status: "Degraded", endTime: new Date(since) }],
      "warm/warm-1",
      { good: false, message: "the job warm ended as Degraded" },
      [],
    ],
  ])("%s", async (_what, runs, follow, value, names) => {
    const { port, stopped } = jobOf(runs);
    expect(await port.halt!(effect(follow), async () => true)).toEqual({ ok: true, value });
    expect(stopped).toEqual(names);
  });

  test("tells what its undo needs only if something had begun", async () => {
    const undoOf = async (runs: readonly Run[]) => jobOf(runs).port.halt!(effect(undefined, "drop"), async () => true);
    expect(await undoOf([running])).toMatchObject({ value: { undo: "drop" } });
    expect(await undoOf([])).toEqual({
      ok: true,
      value: { good: false, message: "no execution of the job warm was started" },
    });
  });

  test("takes the executions of a job that was deleted as gone", async () =>
    expect(
      await jobOf([], { list: refused(404, "ResourceNotFound") }).port.halt!(effect("warm/warm-1"), async () => true),
    ).toEqual({ ok: true, value: { good: false, message: "the job warm no longer exists" } }));

  test.each<readonly [string, readonly Run[], Parameters<typeof jobOf>[1], string]>([
    ["the list of executions is refused", [running], { list: refused(403, "AuthorizationFailed") }, "403"],
    ["the stop is refused", [running], { stop: refused(403, "AuthorizationFailed") }, "403 AuthorizationFailed"],
    [
      "the execution goes on",
      [{ ...running, afterStop: ["Running"] }],
      { seconds: 0.1 },
      "the execution warm-1 still runs after it was stopped",
    ],
    ["the execution is not listed", [], {}, "the execution warm-1 is not listed"],
  ])("fails if %s", async (_what, runs, faults, reason) =>
    expect(await jobOf(runs, faults).port.halt!(effect("warm/warm-1"), async () => true)).toMatchObject({
      ok: false,
      reason: expect.stringContaining(reason),
    }),
  );

  test("sends nothing once the claim is lost", async () => {
    const { port, stopped } = jobOf([running]);
    expect(await port.halt!(effect("warm/warm-1"), async () => false)).toMatchObject({ ok: false });
    expect(stopped).toEqual([]);
  });
});
