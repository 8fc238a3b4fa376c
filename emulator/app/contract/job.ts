// Checks a job as a whole, before anything of it is stored. What a job shares with a container app (secrets,
// registries, identities, the workload profile) is checked by the same code.
import { refuseUnsupportedFields } from "../../arm/fields.ts";
import { ArmError, type Body, type Cloud, type Resource } from "../../arm/resource.ts";
import { environmentIdOf, environmentOf } from "../app-bodies.ts";
import { parseCron } from "../cron.ts";
import { checkName, checkPlace, checkProfile, checkRegistries, checkSecrets, checkSettings } from "./configuration.ts";
import { checkJobContainer } from "./containers.ts";
import { checkIdentity } from "./identity.ts";
import { jobFields } from "./job-fields.ts";
import { refuseLikeAzure, refuseUnsupported } from "./refusals.ts";

/** Checks the whole body of a job. @throws ArmError 400 */
export function checkJob(id: string, wanted: Body, previous: Resource | undefined, cloud: Cloud): void {
  const { configuration = {}, template = {}, workloadProfileName } = wanted["properties"] as Body;
  checkName(wanted["name"], "Job");
  refuseUnsupportedFields(jobFields, wanted);
  const environment = environmentOf(wanted, cloud.store);
  const before = previous && environmentIdOf(previous.body);
  if (before && before.toLowerCase() !== environmentIdOf(wanted).toLowerCase())
    refuseLikeAzure("The environment of a job cannot be changed after it was created.");
  checkPlace(wanted, environment?.body);
  checkTrigger(configuration);
  checkIdentity(id, wanted, cloud.store);
  const cpuMax = checkProfile(workloadProfileName, environment?.body ?? {});
  const all: readonly Body[] = configuration.secrets ?? [];
  checkSecrets(all, wanted, cloud.suffix);
  const secrets = new Set(all.map(({ name }) => String(name)));
  checkJobContainer(template, { app: wanted["name"], secrets, volumes: new Set(), cpuMax });
  checkRegistries(configuration, wanted);
  checkSettings(configuration, wanted);
}

function checkTrigger(configuration: Body): void {
  const { triggerType, replicaTimeout, replicaRetryLimit = 0 } = configuration;
  const { scheduleTriggerConfig: schedule, manualTriggerConfig: manual } = configuration;
  const trigger = String(triggerType).toLowerCase();
  if (trigger === "event") refuseUnsupported("jobs that events start");
  if (trigger === "schedule" && !schedule)
    throw new ArmError(
      400,
      "JobScheduleRequired",
      "A job with the trigger type Schedule needs a scheduleTriggerConfig.",
    );
  if (trigger === "manual" && schedule) refuseUnsupported("a schedule of a job with the trigger type Manual");
  if (schedule) parseCron(schedule.cronExpression);
  if (!(replicaTimeout >= 1)) refuseLikeAzure(`The replicaTimeout is ${replicaTimeout}, and not at least 1 second.`);
  if (!(replicaRetryLimit >= 0)) refuseLikeAzure(`The replicaRetryLimit is ${replicaRetryLimit}, and not at least 0.`);
  for (const each of [schedule, manual])
    if ((each?.parallelism ?? 1) !== 1 || (each?.replicaCompletionCount ?? 1) !== 1)
      refuseUnsupported("more than one replica an execution");
}
