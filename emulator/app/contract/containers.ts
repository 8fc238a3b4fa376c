// Checks the containers of a template as Azure does: names, variables, CPU and memory, probes, and mounts of volumes.
// Numbers have Azure's limits, and refusals its codes and texts where these are public.
import { firstTwice, firstTwiceExactly } from "../../arm/bodies.ts";
import type { Body } from "../../arm/resource.ts";
import { refuse, refuseLikeAzure, refuseUnsupported } from "./refusals.ts";

/** What the containers of a template may refer to, and how much they may ask for. */
export interface ContainerScope {
  readonly app: string;
  /** The names of the app's secrets. */
  readonly secrets: ReadonlySet<string>;
  /** The names of the template's volumes. */
  readonly volumes: ReadonlySet<string>;
  /** The most CPUs of a replica in the app's environment; undefined where Azure has no fixed combinations. */
  readonly cpuMax: number | undefined;
}

/** Checks the containers and init containers of a template. @throws ArmError 400 */
export function checkContainers(template: Body, scope: ContainerScope): void {
  const containers: readonly Body[] = template["containers"] ?? [];
  const initContainers: readonly Body[] = template["initContainers"] ?? [];
  if (containers.length === 0)
    refuse("ContainerAppImageRequired", "A template needs a container with an 'Image' property specified.");
  const all = [...initContainers, ...containers];
  for (const container of all) checkContainer(container, scope);
  const twice = firstTwice(all.map(({ name }) => name));
  if (twice) refuseLikeAzure(`Two containers are named '${twice}'.`);
  checkTotal(containers, scope.cpuMax);
  for (const { name, resources } of initContainers)
    if (scope.cpuMax !== undefined && Number(resources?.cpu ?? 0) > scope.cpuMax)
      refuseLikeAzure(`The init container '${name}' asks for ${resources.cpu} CPU, and a replica has ${scope.cpuMax}.`);
}

function checkContainer(container: Body, scope: ContainerScope): void {
  const { name, image } = container;
  if (!image)
    refuse("ContainerAppImageRequired", `Container with name '${name}' must have an 'Image' property specified.`);
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(String(name ?? "")))
    refuseLikeAzure(
      `The container name '${name}' is invalid: at most 63 lower case alphanumeric characters or '-', ` +
        "first and last alphanumeric.",
    );
  checkVariables(container, scope);
  checkResources(container);
  checkProbes(container);
  checkMounts(container, scope);
}

function checkVariables({ name: container, env }: Body, { secrets }: ContainerScope): void {
  const variables: readonly Body[] = env ?? [];
  for (const { name, value, secretRef } of variables) {
    if (!/^[A-Za-z0-9_]+$/.test(String(name ?? "")))
      refuse(
        "ContainerAppInvalidEnvVarName",
        `Env variable name '${name ?? ""}' contains invalid character, allowed characters are 'a-z, A-Z, 0-9 and _'`,
      );
    if (secretRef && !secrets.has(String(secretRef)))
      refuse(
        "ContainerAppSecretRefNotFound",
        `SecretRef '${secretRef}' defined for container '${container}' not found.`,
      );
    if (secretRef && value)
      refuseLikeAzure(`The variable '${name}' of container '${container}' has both a value and a secretRef.`);
  }
  const twice = firstTwiceExactly(variables.map(({ name }) => name));
  if (twice) refuseLikeAzure(`Container '${container}' has the variable '${twice}' twice.`);
}

function checkResources({ name, resources }: Body): void {
  const { cpu = 0.5, memory = "1Gi" } = (resources ?? {}) as Body;
  if (!/^\d+(\.\d{1,2})?Gi$/.test(String(memory)))
    refuseLikeAzure(
      `Container with name '${name}' has an invalid memory resource request: '${memory}'. ` +
        "The 'memory' field for each container, if provided, must contain a decimal value to no more than 2 decimal " +
        "places followed by 'Gi' to denote the unit (Gibibytes). Example: '1.25Gi' or '2Gi'.",
    );
  const hundredths = Number(cpu) * 100;
  if (!(hundredths > 0) || Math.abs(hundredths - Math.round(hundredths)) > 1e-6)
    refuseLikeAzure(`Container '${name}' asks for ${cpu} CPU: a number above 0 with at most two decimals is needed.`);
}

const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** Checks that CPU and memory of all containers add up to a combination that the plan Consumption has. */
function checkTotal(containers: readonly Body[], cpuMax: number | undefined): void {
  if (cpuMax === undefined) return;
  const sum = (amount: (resources: Body) => number): number =>
    Math.round(containers.reduce((total, { resources }) => total + amount(resources ?? {}), 0) * 100) / 100;
  const cpu = sum((resources) => Number(resources["cpu"] ?? 0.5));
  const memory = sum((resources) => Number.parseFloat(resources["memory"] ?? "1Gi"));
  const combinations = Array.from({ length: cpuMax * 4 }, (_, index) => (index + 1) / 4);
  if (combinations.includes(cpu) && memory === cpu * 2) return;
  const listed = combinations.map((each) => `[cpu: ${decimal(each)}, memory: ${decimal(each * 2)}Gi]`).join("; ");
  refuse(
    "ContainerAppInvalidResourceTotal",
    `The total requested CPU and memory resources for this application (CPU: ${cpu}, memory: ${memory}) is invalid. ` +
      "Total CPU and memory for all containers defined in a Container App must add up to one of the following " +
      `CPU - Memory combinations: ${listed}`,
  );
}

type Limits = { readonly [name: string]: readonly [least: number, most: number] };
// The schema's own texts, except that 0 seconds of delay are accepted: the portal sends them.
const probeLimits: Limits = {
  initialDelaySeconds: [0, 60],
  periodSeconds: [1, 240],
  timeoutSeconds: [1, 240],
  successThreshold: [1, 10],
  terminationGracePeriodSeconds: [0, 3600],
};
// aca#1100 and hashicorp/terraform-provider-azurerm#31989; the texts of the schema still say 10.
const failuresMax: { readonly [type: string]: number } = { liveness: 30, readiness: 48, startup: 240 };

function checkProbes({ name, probes }: Body): void {
  const all: readonly Body[] = probes ?? [];
  const twice = firstTwice(all.map(({ type }) => type));
  if (twice) refuseLikeAzure(`Container '${name}' has two probes of the type '${twice}'.`);
  for (const probe of all) checkProbe(name, probe);
}

function checkProbe(container: string, probe: Body): void {
  const { type, httpGet, tcpSocket, failureThreshold, successThreshold } = probe;
  const most = failuresMax[String(type).toLowerCase()];
  if (most === undefined) refuseLikeAzure(`A probe of container '${container}' has no type.`);
  if (failureThreshold != null && !isWithin(failureThreshold, 1, most!))
    refuse(
      "ContainerAppProbeFailureThresholdOutOfRange",
      `Container '${container}' '${type}' probe's FailureThreshold must be in the range of ['1', '${most}'].`,
    );
  for (const [name, [least, max]] of Object.entries(probeLimits))
    if (probe[name] != null && !isWithin(probe[name], least, max))
      refuseLikeAzure(
        `${name} of the ${type} probe of container '${container}' is ${probe[name]}, and not ${least} to ${max}.`,
      );
  if ((successThreshold ?? 1) !== 1 && String(type).toLowerCase() !== "readiness")
    refuseLikeAzure(`successThreshold of the ${type} probe of container '${container}' must be 1.`);
  if (probe["terminationGracePeriodSeconds"] != null && String(type).toLowerCase() === "readiness")
    refuseLikeAzure(`The readiness probe of container '${container}' has terminationGracePeriodSeconds.`);
  for (const { name, value } of (httpGet?.httpHeaders ?? []) as Body[])
    if (!/^[-A-Za-z0-9]+$/.test(String(name)) || /[\r\n\0]/.test(String(value)))
      refuseLikeAzure(`The ${type} probe of container '${container}' has the header '${name}', which HTTP has not.`);
  if ((httpGet == null) === (tcpSocket == null))
    refuseLikeAzure(`The ${type} probe of container '${container}' needs either httpGet or tcpSocket.`);
  checkPort((httpGet ?? tcpSocket).port, `The port of the ${type} probe of container '${container}'`);
}

const isWithin = (value: unknown, least: number, most: number): boolean =>
  typeof value === "number" && value >= least && value <= most;

/** Checks a port. @throws ArmError 400 */
export function checkPort(port: unknown, what: string): void {
  if (!Number.isInteger(port) || !isWithin(port, 1, 65_535)) refuseLikeAzure(`${what} is ${port}, and not 1 to 65535.`);
}

function checkMounts({ name, volumeMounts }: Body, { app, volumes }: ContainerScope): void {
  const mounts: readonly Body[] = volumeMounts ?? [];
  for (const { volumeName, mountPath, subPath } of mounts) {
    if (!volumes.has(String(volumeName)))
      refuse(
        "ContainerAppInvalidVolumeMount",
        `Invalid Request: Volume '${volumeName ?? ""}' to mount doesn't defined in the Container App '${app}'.`,
      );
    if (!/^\/[^:]*$/.test(String(mountPath ?? "")))
      refuseLikeAzure(`Container '${name}' mounts '${volumeName}' at '${mountPath}', which is no absolute path.`);
    if (subPath && (String(subPath).startsWith("/") || String(subPath).split("/").includes("..")))
      refuseLikeAzure(`The subPath '${subPath}' of container '${name}' is not a path inside its volume.`);
  }
  const twice = firstTwice(mounts.map(({ mountPath }) => mountPath));
  if (twice) refuseLikeAzure(`Container '${name}' mounts two volumes at '${twice}'.`);
}

/** Checks the one container of a job. @throws ArmError 400 */
export function checkJobContainer(template: Body, scope: ContainerScope): void {
  if ((template["containers"] ?? []).length > 1 || template["initContainers"]?.length)
    refuseUnsupported("jobs with more than one container");
  if (template["volumes"]?.length) refuseUnsupported("jobs with volumes");
  checkContainers(template, scope);
}
