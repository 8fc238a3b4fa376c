// Microsoft.App/jobs: what GET shows, the action that starts a job, and the routes below a job. What a PUT may ask for
// is in contract/job.ts, and how an execution runs is in job-executions.ts. Everything that the emulator cannot run
// (events, several containers or replicas, another image at a start) is refused by name.
import { setTimeout as pause } from "node:timers/promises";
import { unsupported } from "../arm/refusals.ts";
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
    start: async (job, cloud, { body }) => {
      const { name } = startExecution(cloud, job, templateOf(job, body ?? {}));
      return { status: 200, body: { id: idOf(job, name), name } };
    },
  },
  children,
};

/** Gives what an execution runs: the job's own template, or its one container with what the start says of it. */
function templateOf({ body }: Resource, { containers, ...others }: Body): Body {
  const { template } = body["properties"];
  const [own] = template.containers as Body[];
  if (Object.keys(others).length > 0) throw unsupported(`a start of a job with ${Object.keys(others).join(", ")}`);
  if (containers === undefined) return template;
  const [sent, ...more] = containers as Body[];
  if (sent === undefined || more.length > 0) throw unsupported("a start of a job with several containers");
  if (sent["image"] !== own!["image"]) throw unsupported("a start of a job with another image than its own");
  return { ...template, containers: [{ ...own, ...sent }] };
}

async function onPut({ id, wanted, previous, cloud }: PutContext): Promise<void> {
  checkJob(id, wanted, previous, cloud);
  const { template } = wanted["properties"];
  const [container] = template.containers as Body[];
  wanted["properties"].workloadProfileName ??= "Consumption";
  template.containers = [{ ...container, resources: { cpu: 0.5, memory: "1Gi", ...container!["resources"] } }];
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

/** Answers `/executions` and `/executions/<name>`; undefined for any other route. */
async function children(
  job: Resource,
  [collection, name]: readonly string[],
  { method }: ArmRequest,
  cloud: Cloud,
): Promise<ArmReply | undefined> {
  if (collection?.toLowerCase() !== "executions" || method !== "GET") return undefined;
  if (name === undefined)
    return { status: 200, body: { value: executionsOf(cloud, job).map((each) => presentExecution(job, each)) } };
  const found = executionsOf(cloud, job).find((each) => each.name === name);
  if (!found)
    throw new ArmError(404, "ResourceNotFound", `Execution '${name}' of job '${job.body["name"]}' was not found.`);
  return { status: 200, body: presentExecution(job, found) };
}
