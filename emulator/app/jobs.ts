// Microsoft.App/jobs: what a PUT may ask for, what GET shows of it, starting by hand, and the routes below a job.
// How an execution runs is in job-executions.ts. What the stand-in does not run (events, several containers or replicas, commands,
// another template at a start) it refuses by name.
import { setTimeout as pause } from "node:timers/promises";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Cloud,
  type PutContext,
  type Resource,
  type ResourceKind,
} from "../arm/resource.ts";
import { refuseImage } from "../containerregistry/registries.ts";
import { environmentIdOf } from "./container-apps.ts";
import { parseCron } from "./cron.ts";
import { type Execution, executionsOf, forgetJob, startExecution, watchSchedules } from "./job-executions.ts";

// A write takes a moment, as it does there.
const operationMilliseconds = 60;

export const jobKind: ResourceKind = {
  type: "Microsoft.App/jobs",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  put: "async-operation",
  parentMustExist: (body, store) =>
    store.get(environmentIdOf(body))
      ? undefined
      : new ArmError(
          400,
          "ManagedEnvironmentNotFound",
          `The managed environment '${environmentIdOf(body)}' of the job does not exist.`,
        ),
  onPut,
  onDelete: async (job, cloud) => forgetJob(cloud, job),
  present: ({ body }) => {
    const shown = structuredClone(body);
    const { configuration } = shown["properties"];
    if (configuration.secrets)
      configuration.secrets = (configuration.secrets as Body[]).map(({ value: _, ...secret }) => secret);
    shown["properties"].outboundIpAddresses = ["127.0.0.1"];
    return shown;
  },
  actions: {
    start: async (job, cloud, { body }) => {
      if (Object.keys(body ?? {}).length > 0) throw unsupported("a job with another template than its own");
      const { name } = startExecution(cloud, job);
      return { status: 200, body: { id: idOf(job, name), name } };
    },
  },
  children,
};

const unsupported = (what: string): ArmError =>
  new ArmError(400, "LocalCloudUnsupported", `The stand-in cloud does not run ${what}. Azure does.`);

async function onPut({ wanted, cloud }: PutContext): Promise<void> {
  const { name } = wanted;
  const { configuration, template } = wanted["properties"];
  if (!/^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name) || name.includes("--"))
    throw new ArmError(
      400,
      "ContainerAppInvalidName",
      `Invalid job name '${name}'. It consists of lower case alphanumeric characters or '-', starts with a letter, ends with an alphanumeric character, has no '--' and is at most 32 characters long.`,
    );
  checkTrigger(configuration ?? {});
  const [container, ...more] = (template?.containers ?? []) as Body[];
  if (!container?.["image"])
    throw new ArmError(
      400,
      "ContainerAppImageRequired",
      "The container image must be specified: template.containers[0].image.",
    );
  if (more.length > 0 || template.initContainers?.length) throw unsupported("more than one container a replica");
  if (container["command"]?.length) throw unsupported("containers with a command of their own");
  wanted["properties"].workloadProfileName ??= "Consumption";
  template.containers = [{ ...container, resources: { cpu: 0.5, memory: "1Gi", ...container["resources"] } }];
  watchSchedules(cloud);
  await pause(operationMilliseconds);
  refuseImage(wanted, cloud);
}

function checkTrigger(configuration: Body): void {
  const { triggerType, scheduleTriggerConfig: schedule, manualTriggerConfig: manual } = configuration;
  if (triggerType === "Event") throw unsupported("jobs that events start");
  if (triggerType === "Schedule" && !schedule)
    throw new ArmError(
      400,
      "JobScheduleRequired",
      "A job with the trigger type Schedule needs a scheduleTriggerConfig.",
    );
  if (schedule) parseCron(schedule.cronExpression);
  for (const trigger of [schedule, manual])
    if ((trigger?.parallelism ?? 1) !== 1 || (trigger?.replicaCompletionCount ?? 1) !== 1)
      throw unsupported("more than one replica an execution");
}

const idOf = (job: Resource, execution: string): string => `${job.body["id"]}/executions/${execution}`;

const presentExecution = (job: Resource, { name, status, startedAt, endedAt, template }: Execution): Body => ({
  id: idOf(job, name),
  name,
  type: "Microsoft.App/jobs/executions",
  properties: {
    status,
    startTime: new Date(startedAt).toISOString(),
    ...(endedAt === undefined ? {} : { endTime: new Date(endedAt).toISOString() }),
    template,
  },
});

/** Serves `/executions` and `/executions/<name>`. */
async function children(
  job: Resource,
  [kind, name]: readonly string[],
  { method }: ArmRequest,
  cloud: Cloud,
): Promise<ArmReply | undefined> {
  if (kind?.toLowerCase() !== "executions" || method !== "GET") return undefined;
  if (name === undefined)
    return { status: 200, body: { value: executionsOf(cloud, job).map((each) => presentExecution(job, each)) } };
  const found = executionsOf(cloud, job).find((each) => each.name === name);
  if (!found)
    throw new ArmError(404, "ResourceNotFound", `Execution '${name}' of job '${job.body["name"]}' was not found.`);
  return { status: 200, body: presentExecution(job, found) };
}
