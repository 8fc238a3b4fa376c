// The bodies of container apps: what the emulator refuses in one, the defaults that Azure fills in, and a
// form in which two templates compare. Everything that the emulator cannot run (several containers,
// commands, Labels mode) is refused by name.
import { ArmError, type Body } from "../arm/resource.ts";
import type { Quirks } from "../controls/quirks.ts";
import { type AppRuntime, checkRevisionName, checkTraffic, findRevision } from "./revisions.ts";

/**
 * Gives the id of an app's or a job's environment, under either of the names that
 * Azure accepts; empty when it names none.
 */
export const environmentIdOf = (body: Body): string =>
  String(body["properties"]?.managedEnvironmentId ?? body["properties"]?.environmentId ?? "");

/** Makes the refusal of something that Azure runs and the emulator does not. */
export const unsupported = (what: string): ArmError =>
  new ArmError(400, "EmulatorUnsupported", `The emulator does not run ${what}. Azure does.`);

/** Checks the name of an app or a job. @throws ArmError 400 */
export function checkName(name: string, what: "container app" | "job"): void {
  if (/^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name) && !name.includes("--")) return;
  throw new ArmError(
    400,
    "ContainerAppInvalidName",
    `Invalid ${what} name '${name}'. It consists of lower case alphanumeric characters or '-', starts with a letter, ` +
      "ends with an alphanumeric character, has no '--' and is at most 32 characters long.",
  );
}

/** Checks the containers of an app or a job. @throws ArmError 400 */
export function checkContainers(template: Body): void {
  const containers: readonly Body[] = template["containers"] ?? [];
  const [container] = containers;
  if (!container?.["image"])
    throw new ArmError(
      400,
      "ContainerAppImageRequired",
      "The container image must be specified: template.containers[0].image.",
    );
  if (containers.length > 1 || template["initContainers"]?.length)
    throw unsupported("more than one container a replica");
  if (container["command"]?.length) throw unsupported("containers with a command of their own");
}

/** Checks an app's template. @throws ArmError 400 */
export function checkTemplate(app: string, template: Body, configuration: Body): void {
  checkContainers(template);
  const { minReplicas = 0, maxReplicas = 10 } = template["scale"] ?? {};
  if (maxReplicas < 1 || minReplicas > maxReplicas)
    throw new ArmError(
      400,
      "ContainerAppScaleInvalid",
      `minReplicas is ${minReplicas} and maxReplicas is ${maxReplicas}. ` +
        "maxReplicas must be at least 1, and minReplicas must not exceed it.",
    );
  checkRevisionName(app, template);
  const container: Body = template["containers"][0];
  const names = new Set(((configuration["secrets"] ?? []) as Body[]).map((secret) => secret["name"]));
  const missing = ((container["env"] ?? []) as Body[]).find(({ secretRef }) => secretRef && !names.has(secretRef));
  if (missing)
    throw new ArmError(
      400,
      "ContainerAppSecretRefNotFound",
      `SecretRef '${missing["secretRef"]}' defined for container '${container["name"]}' not found.`,
    );
}

/** Checks an app's configuration. `known` is the app before the write. @throws ArmError 400 */
export function checkConfiguration(
  configuration: Body,
  app: string,
  template: Body,
  known: AppRuntime | undefined,
  quirks: Quirks,
): void {
  const mode = String(configuration["activeRevisionsMode"] ?? "Single").toLowerCase();
  if (mode === "labels") throw unsupported("the revision mode Labels");
  for (const secret of (configuration["secrets"] ?? []) as Body[]) {
    if (secret["keyVaultUrl"]) throw unsupported("secrets by keyVaultUrl");
    if (secret["value"] == null)
      throw new ArmError(
        400,
        "ContainerAppSecretInvalid",
        `Invalid request: container app secret '${secret["name"]}' has no value. ` +
          "A PUT must repeat every value; a read never shows them.",
      );
  }
  const { transport = "Auto", exposedPort, additionalPortMappings, traffic } = (configuration["ingress"] ?? {}) as Body;
  if (!["auto", "http"].includes(String(transport).toLowerCase()))
    throw unsupported(`ingress with the transport ${transport}`);
  if (exposedPort || additionalPortMappings?.length) throw unsupported("more than one ingress port");
  // Traffic may name the revision that the same request makes, if the template gives its suffix. azd does so.
  const made = template["revisionSuffix"] ? `${app}--${template["revisionSuffix"]}` : undefined;
  if (mode === "multiple")
    checkTraffic(traffic, quirks, (name) => (name === made ? "made" : known && findRevision(known, name)));
}

/** Fills in Azure's defaults, so that a template that spells out a default equals one that leaves it out. */
export function normaliseTemplate(template: Body): Body {
  const { containers, scale, ...rest } = dropAbsent(template);
  return {
    ...rest,
    revisionSuffix: rest["revisionSuffix"] ?? "",
    containers: ((containers ?? []) as Body[]).map((container) => ({
      ...container,
      resources: { cpu: 0.5, memory: "1Gi", ...container["resources"] },
    })),
    scale: { maxReplicas: 10, cooldownPeriod: 300, pollingInterval: 30, ...scale },
  };
}

/** Gives a deep copy without null, undefined and empty lists, which Azure treats as absent. */
export const dropAbsent = (body: Body): Body => withoutAbsent(body) as Body;

function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== "object" || value === null) return value;
  const isAbsent = (each: unknown): boolean => each == null || (Array.isArray(each) && each.length === 0);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (isAbsent(each) ? [] : [[name, withoutAbsent(each)]])),
  );
}

/** Writes a value as text in which the order of members does not matter. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
