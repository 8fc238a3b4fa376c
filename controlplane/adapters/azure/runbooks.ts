// The runbooks that Azure itself carries out: the restart of a revision, and a job of the user's own. Each plan is read
// from the live state, and each action reads it again before its first write.
import type { JobExecution, Replica } from "@azure/arm-appcontainers";
import { found, type Result } from "../../../engines/engine.ts";
import type { Incident } from "../../../engines/remediation/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import { many } from "../../../engines/wording.ts";
import type { RunbookPort } from "../../performers/remediation-ports.ts";
import type { Time } from "../../runtime/ports.ts";
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

/** Gives the revision with most of the traffic, and its replicas that run. */
export async function replicasOf(
  cloud: Cloud,
  target: string,
  cancel: AbortSignal,
): Promise<Result<{ readonly revision: string; readonly replicas: readonly Replica[] }>> {
  const { resourceGroup, name } = partsOf(target);
  const app = await getApp(cloud, { resourceGroup, app: name }, cancel);
  if (!app.ok) return asResult(app);
  const serving = servingIn(app.value);
  if (!serving.ok) return { ...serving, definite: true };
  const revision = serving.value;
  const replicas = await ask(cloud.patience, cancel, (abortSignal) =>
    cloud.apps.containerAppsRevisionReplicas.listReplicas(resourceGroup, name, revision, { abortSignal }),
  );
  return replicas.ok ? found({ revision, replicas: replicas.value.value ?? [] }) : asResult(replicas);
}

/**
 * The restart of the revision that serves. It is refused if one replica is all the capacity: a restart would be an
 * outage of its own. Repeating it is harmless, since it changes nothing that lasts.
 */
export const restartRevision = (cloud: Cloud): RunbookPort => ({
  plan: async (target, _rung, _incident, cancel) => {
    const serving = await replicasOf(cloud, target, cancel);
    if (!serving.ok) return serving;
    const { revision, replicas } = serving.value;
    const fits = replicas.length >= 2;
    return found({
      fits,
      message: fits
        ? `${replicas.length} replicas of ${revision} run`
        : `${revision} has no second replica: a restart would take all the capacity`,
      plan: `restart the ${many(replicas.length, "replica")} of ${revision}`,
    });
  },
  act: async ({ target }, fence) => {
    const { resourceGroup, name } = partsOf(target);
    return settle(cloud, fence, async (sent) => {
      const serving = await replicasOf(cloud, target, never);
      if (!serving.ok) return { say: "refuse", ...serving };
      const { revision, replicas } = serving.value;
      if (sent) return { say: "done", value: { message: `the replicas of ${revision} were restarted` } };
      if (replicas.length < 2)
        return { say: "refuse", reason: `${revision} has no second replica: a restart would take all the capacity` };
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
  undo: async ({ target, key, since, undo, incident }, fence) => {
    const started = await startedJob(cloud, target, undo, { key, since, incident }, fence);
    return started.ok ? found(`the job ${undo} was started`) : started;
  },
});

const isUnderWay = ({ status }: JobExecution): boolean => status === "Running" || status === "Processing";

const endOf = (job: string, { status = "unknown" }: JobExecution) =>
  status === "Succeeded"
    ? { good: true, message: `the job ${job} succeeded` }
    : { good: false, message: `the job ${job} ended as ${status}` };

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

/**
 * Starts a job once for each key, and gives the name of its execution. An execution that has the key in its environment
 * was started by an earlier try whose answer was lost.
 */
async function startedJob(
  cloud: Cloud,
  target: string,
  job: string,
  { key, since, incident }: { readonly key: string; readonly since: number; readonly incident: Incident },
  fence: Parameters<RunbookPort["act"]>[1],
): Promise<Result<string>> {
  const { resourceGroup } = partsOf(target);
  const { apps } = cloud;
  return settle<string>(cloud, fence, async () => {
    const executions = await executionsOf(cloud, target, job, never);
    if (!executions.ok)
      return {
        say: "refuse",
        ...failureOf(`the executions of ${job} cannot be read: ${executions.reason}`, executions.trouble),
      };
    const own = executions.value.find(
      ({ startTime, template }) =>
        (startTime?.getTime() ?? 0) >= after(since, -60) &&
        (template?.containers ?? []).some(({ env = [] }) =>
          env.some(({ name, value }) => name === "BALLAST_KEY" && value === key),
        ),
    );
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
