// The runbooks that Azure itself carries out: the restart of a revision, and a job of the user's own. Each plan is read
// from the live state, and each action reads it again before its first write.
import type { JobExecution, Replica } from "@azure/arm-appcontainers";
import { found, type Result } from "../../../engines/engine.ts";
import type { FollowedEnd, HaltedEnd, Incident, RemediationEffect } from "../../../engines/remediation/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import { many } from "../../../engines/wording.ts";
import type { RunbookPort } from "../../performers/remediation-ports.ts";
import type { Fence, Time } from "../../runtime/ports.ts";
import { type Cloud, getApp } from "./cloud.ts";
import { refuseUnread, settle } from "./settle.ts";
import { servingIn } from "./traffic.ts";
import { type Answered, ask, asResult, failureOf } from "./trouble.ts";

const never = new AbortController().signal;
/** Splits a target into its group and its name. */
export const partsOf = (target: string): { readonly resourceGroup: string; readonly name: string } => {
  const [, resourceGroup = "", name = ""] = target.split("/");
  return { resourceGroup, name };
};

/** What serves of an app. */
interface Serving {
  readonly revision: string;
  readonly replicas: readonly Replica[];
  /** When the app was made; undefined if Azure does not say. */
  readonly madeAt: number | undefined;
}

/** Gives the revision with most of the traffic, and its replicas that run. */
export async function replicasOf(cloud: Cloud, target: string, cancel: AbortSignal): Promise<Result<Serving>> {
  const { resourceGroup, name } = partsOf(target);
  const app = await getApp(cloud, { resourceGroup, app: name }, cancel);
  if (!app.ok) return asResult(app);
  const serving = servingIn(app.value);
  if (!serving.ok) return { ...serving, definite: true };
  const revision = serving.value;
  const replicas = await ask(cloud.patience, cancel, (abortSignal) =>
    cloud.apps.containerAppsRevisionReplicas.listReplicas(resourceGroup, name, revision, { abortSignal }),
  );
  const madeAt = app.value.systemData?.createdAt?.getTime();
  return replicas.ok ? found({ revision, replicas: replicas.value.value ?? [], madeAt }) : asResult(replicas);
}

/** Gives why a revision must not be restarted, if there is a reason. */
function whyNotRestarted({ revision, replicas, madeAt = 0 }: Serving, { alert }: Incident): string | undefined {
  if (madeAt > alert.firedAt) return "the alert is about an app that was deleted: this one was made after it fired";
  return replicas.length < 2 ? `${revision} has no second replica: a restart would take all the capacity` : undefined;
}

/**
 * The restart of the revision that serves. It is refused if one replica is all the capacity: a restart would be an
 * outage of its own; and if the app is not the one of which the alert told. Repeating it is harmless, since it changes
 * nothing that lasts.
 */
export const restartRevision = (cloud: Cloud): RunbookPort => ({
  plan: async (target, _rung, incident, cancel) => {
    const serving = await replicasOf(cloud, target, cancel);
    if (!serving.ok) return serving;
    const { revision, replicas } = serving.value;
    const why = whyNotRestarted(serving.value, incident);
    return found({
      fits: why === undefined,
      message: why ?? `${replicas.length} replicas of ${revision} run`,
      plan: `restart the ${many(replicas.length, "replica")} of ${revision}`,
    });
  },
  act: async ({ target, incident }, fence) => {
    const { resourceGroup, name } = partsOf(target);
    return settle(cloud, fence, async (sent) => {
      const serving = await replicasOf(cloud, target, never);
      if (!serving.ok) return { say: "refuse", ...serving };
      const { revision } = serving.value;
      if (sent) return { say: "done", value: { message: `the replicas of ${revision} were restarted` } };
      const reason = whyNotRestarted(serving.value, incident);
      if (reason !== undefined) return { say: "refuse", reason };
      return {
        say: "send",
        send: (abortSignal) =>
          cloud.apps.containerAppsRevisions.restartRevision(resourceGroup, name, revision, { abortSignal }),
      };
    });
  },
});

/** How often to look whether a job has ended, unless Azure asks for a longer rest. */
const lookMilliseconds = 5_000;

/** A Container Apps Job of the user's own, with the incident in its environment and its exit as the outcome. */
export const startJob = (cloud: Cloud, time: Time, now: () => number): RunbookPort => ({
  plan: async (target, { job = "" }, _incident, cancel) => {
    const { resourceGroup } = partsOf(target);
    const { apps, patience } = cloud;
    const read = await ask(patience, cancel, (abortSignal) => apps.jobs.get(resourceGroup, job, { abortSignal }));
    return read.ok
      ? found({ fits: true, message: `the job ${job} exists`, plan: `start the job ${job} with the incident` })
      : failureOf(`the job ${job} cannot be read: ${read.reason}`, read.trouble);
  },
  act: async ({ target, rung: { job = "", undoJob }, key, since, incident }, fence) => {
    const started = await startedJob(cloud, target, job, { key, since, incident }, fence);
    if (!started.ok) return started;
    const undo = undoJob === undefined ? {} : { undo: undoJob };
    return found({ message: `the job ${job} was started`, follow: `${job}/${started.value}`, ...undo });
  },
  follow: async ({ target, follow, until }, cancel) => {
    const [job = "", execution = ""] = follow.split("/");
    for (;;) {
      const executions = await executionsOf(cloud, target, job, cancel);
      const run = executions.ok ? executions.value.find(({ name }) => name === execution) : undefined;
      if (run !== undefined && !isUnderWay(run)) return found(endOf(job, run));
      if (cancel.aborted) return { ok: false, reason: "cut short" };
      if (now() >= until) return { ok: false, reason: `the job ${job} did not end in time` };
      const asked = executions.ok ? 0 : (executions.trouble.afterMilliseconds ?? 0);
      await time.nap(Math.min(Math.max(lookMilliseconds, asked), until - now()), cancel);
    }
  },
  halt: (effect, fence) => haltedJob(cloud, effect, fence),
  undo: async ({ target, key, since, undo, incident }, fence) => {
    const started = await startedJob(cloud, target, undo, { key, since, incident }, fence);
    return started.ok ? found({ message: `the job ${undo} was started`, follow: `${undo}/${started.value}` }) : started;
  },
});

const lastStatuses: readonly (string | undefined)[] = ["Succeeded", "Failed", "Stopped"];

/** A status that says nothing of an end, such as Unknown, is none: something may run. */
const isUnderWay = ({ status, endTime }: JobExecution): boolean =>
  endTime === undefined && !lastStatuses.includes(status);

const endOf = (job: string, { status = "unknown" }: JobExecution): FollowedEnd =>
  status === "Succeeded"
    ? { good: true, message: `the job ${job} succeeded` }
    : { good: false, message: `the job ${job} ${status === "Stopped" ? "was stopped" : `ended as ${status}`}` };

/**
 * Stops what an action started, and answers once it is seen to have ended. An execution is found by the key of its
 * action, so one whose start had no answer is found, too. One that has ended by itself is left as it is.
 */
async function haltedJob(
  cloud: Cloud,
  { target, rung: { job: own = "", undoJob }, key, since, follow }: Extract<RemediationEffect, { kind: "Halt" }>,
  fence: Fence,
): Promise<Result<HaltedEnd>> {
  const { resourceGroup } = partsOf(target);
  const [job = own, execution] = follow?.split("/") ?? [];
  const asked = new Set<string>();
  return settle<HaltedEnd>(cloud, fence, async () => {
    const executions = await executionsOf(cloud, target, job, never);
    // With a job Azure deletes its executions.
    if (!executions.ok && executions.trouble.status === 404)
      return { say: "done", value: { good: false, message: `the job ${job} no longer exists` } };
    if (!executions.ok) return unreadExecutions(job, executions);
    const begun = executions.value.filter((each) => each.name === execution || isStartedBy(each, { key, since }));
    if (execution !== undefined && begun.length === 0)
      return { say: "refuse", reason: `the execution ${execution} is not listed` };
    const { name } = begun.find(isUnderWay) ?? {};
    if (name === undefined) return { say: "done", value: haltedEnd(job, undoJob, begun) };
    if (asked.has(name)) return { say: "wait", reason: `the execution ${name} still runs after it was stopped` };
    return {
      say: "send",
      send: async (abortSignal) => {
        await cloud.apps.jobs.stopExecution(resourceGroup, job, name, { abortSignal }).pollUntilDone({ abortSignal });
        asked.add(name);
      },
    };
  });
}

/** How the executions of an action have ended. One that ended well did what the action was for. */
function haltedEnd(job: string, undo: string | undefined, begun: readonly JobExecution[]): HaltedEnd {
  const one = begun.find(({ status }) => status === "Succeeded") ?? begun.at(-1);
  if (one === undefined) return { good: false, message: `no execution of the job ${job} was started` };
  return { ...endOf(job, one), ...(undo === undefined ? {} : { undo }) };
}

const unreadExecutions = (job: string, { reason, trouble }: Extract<Answered<unknown>, { ok: false }>) =>
  ({ say: "refuse", ...failureOf(`the executions of ${job} cannot be read: ${reason}`, trouble) }) as const;

/** An execution that has the key in its environment was started by a try of this action, whose answer may be lost. */
const isStartedBy = (
  { startTime, template }: JobExecution,
  { key, since }: { readonly key: string; readonly since: number },
): boolean =>
  (startTime?.getTime() ?? 0) >= after(since, -60) &&
  (template?.containers ?? []).some(({ env = [] }) =>
    env.some(({ name, value }) => name === "BALLAST_KEY" && value === key),
  );

async function executionsOf(
  { apps, patience }: Cloud,
  target: string,
  job: string,
  cancel: AbortSignal,
): Promise<Answered<readonly JobExecution[]>> {
  const { resourceGroup } = partsOf(target);
  return ask(patience, cancel, async (abortSignal) => {
    const executions: JobExecution[] = [];
    for await (const execution of apps.jobsExecutions.list(resourceGroup, job, { abortSignal }))
      executions.push(execution);
    return executions;
  });
}

/** Starts a job once for each key, and gives the name of its execution. */
async function startedJob(
  cloud: Cloud,
  target: string,
  job: string,
  { key, since, incident }: { readonly key: string; readonly since: number; readonly incident: Incident },
  fence: Fence,
): Promise<Result<string>> {
  const { resourceGroup } = partsOf(target);
  const { apps } = cloud;
  return settle<string>(cloud, fence, async () => {
    const executions = await executionsOf(cloud, target, job, never);
    if (!executions.ok) return unreadExecutions(job, executions);
    const own = executions.value.find((each) => isStartedBy(each, { key, since }));
    if (own?.name !== undefined) return { say: "done", value: own.name };
    const read = await ask(cloud.patience, never, (abortSignal) => apps.jobs.get(resourceGroup, job, { abortSignal }));
    if (!read.ok) return refuseUnread(read);
    const containers = (read.value.template?.containers ?? []).map((container) => ({
      ...container,
      env: [...(container.env ?? []), ...variablesOf(incident, key)],
    }));
    return {
      say: "send",
      send: (abortSignal) =>
        apps.jobs.start(resourceGroup, job, { template: { containers }, abortSignal }).pollUntilDone({ abortSignal }),
    };
  });
}

/** The incident as a job sees it. Texts of an alert are values, never parts of a command. */
const variablesOf = ({ target, alert, message }: Incident, key: string) => [
  { name: "BALLAST_KEY", value: key },
  { name: "BALLAST_TARGET", value: target },
  { name: "BALLAST_RULE", value: alert.rule },
  { name: "BALLAST_ALERT", value: alert.id },
  { name: "BALLAST_MESSAGE", value: message },
];
