// Microsoft.App/jobs: what GET shows, the action that starts a job, and the routes below a job, which show and stop its
// executions. What a PUT may ask for is in contract/job.ts, and how an execution runs is in job-executions.ts.
// Everything that the emulator cannot run (events, several containers or replicas, another image at a start) is refused
// by name.
import { setTimeout as pause } from "node:timers/promises";
import { listReply } from "../arm/lists.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Cloud,
  type PutContext,
  type Resource,
  type ResourceType,
} from "../arm/resource.ts";
import { schemaOf } from "../arm/schema.ts";
import { refuseImage } from "../containerregistry/registries.ts";
import { environmentIdOf, environmentOf } from "./app-bodies.ts";
import { keepPrincipal, presentIdentity } from "./contract/identity.ts";
import { checkJob } from "./contract/job.ts";
import { jobFields } from "./contract/job-fields.ts";
import { type Execution, executionsOf, forgetJob, scheduleJob, startExecution } from "./job-executions.ts";
import { secretsOfJob } from "./vault-references.ts";

// A write takes a moment, as it does on Azure.
const operationMilliseconds = 60;

/** Jobs, as Resource Manager serves them. */
export const jobType: ResourceType = {
  type: "Microsoft.App/jobs",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  put: "async-operation",
  fields: jobFields,
  parentMustExist: (body, store) =>
    environmentOf(body, store)
      ? undefined
      : new ArmError(
          400,
          "ManagedEnvironmentNotFound",
          `The managed environment '${environmentIdOf(body)}' of the job does not exist.`,
        ),
  onPut,
  onDelete: async (job, cloud) => forgetJob(cloud, job),
  present: ({ body }, { store }) => {
    const shown = structuredClone(body);
    presentIdentity(shown, store);
    const { configuration } = shown["properties"];
    if (configuration.secrets)
      configuration.secrets = (configuration.secrets as Body[]).map(({ value: _, ...secret }) => secret);
    shown["properties"].outboundIpAddresses = ["127.0.0.1"];
    return shown;
  },
  actions: {
    start: async (job, cloud, request) => {
      const { name } = startExecution(cloud, job, templateOf(job, cloud, request));
      return { status: 200, body: { id: idOf(job, name), name } };
    },
  },
  children,
  actionBelow: ([collection, name, verb], method) => {
    if (collection?.toLowerCase() !== "executions" || name === undefined) return undefined;
    if (method === "POST" && verb?.toLowerCase() === "stop") return "stop/execution/action";
    return method === "GET" && verb === undefined ? "execution/read" : undefined;
  },
};

/** What a start may say of a container (JobExecutionContainer of the published types). */
const startFields = ["name", "image", "command", "args", "env", "resources"];
/** What a job's container has that changes what runs. */
const ownFields = ["command", "args", "env"];

/**
 * Gives what an execution runs: the job's own template, or the container that the start sends in its place.
 *
 * @throws ArmError 400 for a container that a job could not have, and for one that leaves out what the job's own has:
 * whether Azure then takes it from the job is not public
 */
function templateOf(job: Resource, cloud: Cloud, { apiVersion, body }: ArmRequest): Body {
  const { properties } = job.body;
  const sent: Body = schemaOf(job.type, apiVersion).accept({ properties: { template: body ?? {} } }, true);
  const { containers, ...others } = sent["properties"].template;
  const other = Object.keys(others).find((name) => others[name] !== null);
  if (other !== undefined) throw unsupported(`a start of a job with ${other}`);
  if (containers == null) return properties.template;
  const [own] = properties.template.containers as Body[];
  const [container, ...more] = containers as Body[];
  if (container === undefined || more.length > 0) throw unsupported("a start of a job with several containers");
  if (container["image"] !== own!["image"]) throw unsupported("a start of a job with another image than its own");
  const strange = Object.keys(container).find((name) => !startFields.includes(name));
  if (strange !== undefined) throw refusedToo(`A start of a job says nothing of '${strange}'.`);
  const leftOut = ownFields.find((name) => own![name]?.length > 0 && container[name] == null);
  if (leftOut !== undefined) throw unsupported(`a start of a job with a container that leaves out its '${leftOut}'`);
  const template = { ...properties.template, containers: [withResources(container)] };
  checkJob(job.id, { ...job.body, properties: { ...properties, template } }, job, cloud);
  return template;
}

const withResources = (container: Body): Body => ({
  ...container,
  resources: { cpu: 0.5, memory: "1Gi", ...container["resources"] },
});

async function onPut({ id, wanted, previous, cloud }: PutContext): Promise<void> {
  checkJob(id, wanted, previous, cloud);
  const { template } = wanted["properties"];
  const [container] = template.containers as Body[];
  wanted["properties"].workloadProfileName ??= "Consumption";
  template.containers = [withResources(container!)];
  keepPrincipal(wanted, previous);
  await pause(operationMilliseconds);
  refuseImage(wanted, cloud);
  secretsOfJob(cloud, wanted);
  scheduleJob(cloud, { id: id.toLowerCase(), type: jobType.type, body: wanted });
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

/** Answers `/executions`, `/executions/<name>` and `/executions/<name>/stop`; undefined for any other route. */
async function children(
  job: Resource,
  [collection, name, verb, ...more]: readonly string[],
  request: ArmRequest,
  cloud: Cloud,
): Promise<ArmReply | undefined> {
  const isStop = verb?.toLowerCase() === "stop";
  const served = isStop ? "POST" : "GET";
  if (collection?.toLowerCase() !== "executions" || request.method !== served) return undefined;
  if (more.length > 0 || (verb !== undefined && !isStop)) return undefined;
  if (name === undefined)
    return listReply(
      request,
      executionsOf(cloud, job).map((each) => presentExecution(job, each)),
    );
  const found = executionsOf(cloud, job).find((each) => each.name === name);
  if (!found)
    throw new ArmError(404, "ResourceNotFound", `Execution '${name}' of job '${job.body["name"]}' was not found.`);
  if (!isStop) return { status: 200, body: presentExecution(job, found) };
  if (found.endedAt !== undefined)
    throw new ArmError(
      400,
      "EmulatorUnsupported",
      `The execution '${name}' has ended. What Azure answers to a stop of it is not public.`,
    );
  // The answer comes before the process has ended: until then the execution shows as running.
  found.stopped.abort();
  return { status: 200 };
}
