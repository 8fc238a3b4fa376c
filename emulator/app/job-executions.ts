// Executions of jobs as real processes that run to their end: started by a client or by the schedule,
// retried, timed out, stopped and remembered. Two things differ from Azure: processes start at once, and a
// process that must end has two seconds to do so.
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import { schedulerOf } from "../controls/scheduler.ts";
import { runtimeOf } from "./app-runtime.ts";
import { readLines, signalled, startProcess } from "./container-process.ts";
import { nextCron } from "./cron.ts";
import { platformEnvironment, programOf, variablesOf } from "./replica-plan.ts";
import { secretsOfJob } from "./vault-references.ts";

/** One run of a job. */
export interface Execution {
  readonly name: string;
  readonly startedAt: number;
  /** What it runs. Later changes of the job do not affect it. */
  readonly template: Body;
  status: "Running" | "Succeeded" | "Failed" | "Stopped";
  endedAt: number | undefined;
  pid: number | undefined;
  /** Aborted when a client stops it. */
  readonly stopped: AbortController;
}

interface Jobs {
  /** Executions by lower-cased id of the job, oldest first. */
  readonly executions: Map<string, Execution[]>;
  /** By job; aborted when the job is deleted. */
  readonly deleted: Map<string, AbortController>;
}

// Azure shows the latest hundred.
const keptMax = 100;
const graceMilliseconds = 2_000;
const cronKind = "cron";
const jobType = "Microsoft.App/jobs";
const jobsOf = new WeakMap<Cloud, Jobs>();

function jobs(cloud: Cloud): Jobs {
  const known = jobsOf.get(cloud);
  if (known) return known;
  const made: Jobs = { executions: new Map(), deleted: new Map() };
  jobsOf.set(cloud, made);
  return made;
}

/** Gives the executions of a job, oldest first. */
export const executionsOf = (cloud: Cloud, job: Resource): readonly Execution[] =>
  jobs(cloud).executions.get(job.id) ?? [];

/** Ends a job's running executions and forgets the others. */
export function forgetJob(cloud: Cloud, job: Resource): void {
  jobs(cloud).deleted.get(job.id)?.abort();
  jobs(cloud).deleted.delete(job.id);
  jobs(cloud).executions.delete(job.id);
  schedulerOf(cloud).cancel(`${cronKind} ${job.id}`);
}

/** Starts an execution of a job. */
export function startExecution(
  cloud: Cloud,
  job: Resource,
  template: Body = job.body["properties"].template,
): Execution {
  const { executions, deleted } = jobs(cloud);
  const execution: Execution = {
    name: `${job.body["name"]}-${randomBytes(8).toString("hex").slice(0, 7)}`,
    startedAt: cloud.clock.now(),
    template: structuredClone(template),
    status: "Running",
    endedAt: undefined,
    pid: undefined,
    stopped: new AbortController(),
  };
  executions.set(job.id, [...(executions.get(job.id) ?? []), execution].slice(-keptMax));
  const gone = deleted.get(job.id) ?? new AbortController();
  deleted.set(job.id, gone);
  const runtime = runtimeOf(cloud);
  const stopping = AbortSignal.any([gone.signal, runtime.closing, execution.stopped.signal]);
  const ended = run(cloud, job, execution, stopping).finally(() => runtime.ending.delete(ended));
  runtime.ending.add(ended);
  return execution;
}

/** Runs an execution with the retries that the job allows. The job's timeout covers all tries together. */
async function run(cloud: Cloud, job: Resource, execution: Execution, stopping: AbortSignal): Promise<void> {
  const { replicaTimeout, replicaRetryLimit = 0 } = job.body["properties"].configuration;
  const mustEnd = AbortSignal.any([stopping, AbortSignal.timeout(Number(replicaTimeout) * 1000)]);
  let isGood = false;
  for (let tries = 0; !isGood && tries <= Number(replicaRetryLimit) && !mustEnd.aborted; tries++)
    isGood = await runOnce(cloud, job, execution, mustEnd);
  const bad = execution.stopped.signal.aborted ? "Stopped" : "Failed";
  Object.assign(execution, { status: isGood ? "Succeeded" : bad, endedAt: cloud.clock.now() });
}

/** Gives the secrets of a job; undefined, and a line in the log, when one cannot be fetched. */
function secretsFor(cloud: Cloud, job: Resource): ReadonlyMap<string, string> | undefined {
  try {
    return secretsOfJob(cloud, job.body);
  } catch (error) {
    cloud.log(`${job.body["name"]} does not start: ${(error as Error).message}`);
    return undefined;
  }
}

/** Runs one process to its end. Gives true when it exited with code 0 in time. */
async function runOnce(cloud: Cloud, job: Resource, execution: Execution, mustEnd: AbortSignal): Promise<boolean> {
  const { platform } = runtimeOf(cloud);
  const container: Body = execution.template["containers"][0];
  const program = programOf(cloud, container);
  const secrets = secretsFor(cloud, job);
  if (!program || !secrets) return false;
  const replica = `${execution.name}-${randomBytes(4).toString("hex").slice(0, 5)}`;
  const child = startProcess([...program.command, ...(container["args"] ?? [])], program.folder, {
    ...platformEnvironment(cloud, job.id),
    CONTAINER_APP_JOB_NAME: job.body["name"],
    CONTAINER_APP_JOB_EXECUTION_NAME: execution.name,
    CONTAINER_APP_REPLICA_NAME: replica,
    ...variablesOf(container, secrets),
  });
  if (typeof child === "string") {
    cloud.log(`${replica} ended (${child})`);
    return false;
  }
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  if (child.pid === undefined) return ended;
  platform.reaper.add(child.pid);
  execution.pid = child.pid;
  readLines(child, { app: job.body["name"], revision: execution.name, replica }, platform);
  const group = -child.pid;
  const end = (): void => {
    signalled(group, "SIGTERM");
    void pause(graceMilliseconds, undefined, { ref: false }).then(
      () => execution.pid === -group && signalled(group, "SIGKILL"),
    );
  };
  if (mustEnd.aborted) end();
  else mustEnd.addEventListener("abort", end, { once: true });
  const isGood = await ended;
  mustEnd.removeEventListener("abort", end);
  signalled(group, "SIGKILL"); // child processes that it left behind
  platform.reaper.remove(child.pid);
  execution.pid = undefined;
  return isGood && !mustEnd.aborted;
}

const scheduleOf = ({ body: { properties } }: Resource): string | undefined =>
  properties.configuration?.scheduleTriggerConfig?.cronExpression;

/**
 * Makes the appointment for a job's next minute, if it has a schedule, and cancels it otherwise.
 *
 * Executions may overlap. When the clock is set ahead past several minutes of the schedule, a job starts only once,
 * as it does after the emulator was down. The first minute is one after now, so that a job never starts for a minute
 * before it was created.
 */
export function scheduleJob(cloud: Cloud, job: Resource): void {
  const scheduler = schedulerOf(cloud);
  const expression = scheduleOf(job);
  const next = expression === undefined ? undefined : nextCron(expression, cloud.clock.now());
  if (next === undefined) scheduler.cancel(`${cronKind} ${job.id}`);
  else scheduler.at(next, `${cronKind} ${job.id}`);
}

/** Starts scheduled jobs from now on. Jobs without an appointment get one. */
export function watchSchedules(cloud: Cloud): void {
  const scheduler = schedulerOf(cloud);
  const scheduled = (): readonly Resource[] => cloud.store.list().filter(({ type }) => type === jobType);
  scheduler.handle(
    cronKind,
    ({ key }) => {
      const job = cloud.store.get(key.slice(cronKind.length + 1));
      if (!job) return undefined;
      scheduleJob(cloud, job);
      const isReady = job.body["properties"].provisioningState === "Succeeded";
      return isReady ? () => void startExecution(cloud, job) : undefined;
    },
    () => {
      for (const job of scheduled()) scheduleJob(cloud, job);
    },
  );
  for (const job of scheduled()) if (scheduler.timeOf(`${cronKind} ${job.id}`) === undefined) scheduleJob(cloud, job);
}

/** Gives the running processes of jobs in the form of `/_emulator/processes`. */
export const jobProcesses = (cloud: Cloud): readonly Body[] =>
  cloud.store.list().flatMap((job) =>
    executionsOf(cloud, job).flatMap(({ name, pid }) =>
      pid === undefined
        ? []
        : [
            {
              app: job.body["name"],
              revision: name,
              replica: name,
              pid,
              port: 0,
              ready: true,
              restarts: 0,
              lastEnd: "",
            },
          ],
    ),
  );
