// The template from which Azure makes a revision, and the hash that names a release. The template sets no revision
// suffix: Azure never accepts a suffix twice, so a revert to an earlier template would fail.
import { createHash } from "node:crypto";
import { replicaCounts } from "../../defaults.ts";
import { canonical } from "../../engines/canonical.ts";
import { canaryAppNoReplica, canaryAppSizeUnfit } from "../../errors/components.ts";
import { refusal, replicaSizes, resourcesOf, variablesOf } from "../conventions.ts";

/** The parts of a template, as CanaryAppArgs describes them. */
export interface TemplateArgs {
  readonly container: string;
  readonly image: string;
  readonly variables?: { readonly [name: string]: string };
  readonly secretVariables?: { readonly [variable: string]: string };
  readonly targetPort: number;
  readonly healthPath: string;
  readonly probeSeconds: number;
  readonly cpu?: number;
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
}

/** The time without a request after which Azure removes the last replica, unless the scale rule sets another. */
const coolDownSeconds = 300;

/** The sizes of the Consumption profile. Source: learn.microsoft.com/azure/container-apps/containers#allocations */
const cpuStep = 0.25;
const cpuMost = 4;
const gibPerCpu = 2;

/**
 * Returns the template.
 *
 * @throws canary-app-no-replica if its replicas could be scaled to zero between two probes of a rollout
 * @throws canary-app-size-unfit if Azure does not have the size
 */
export function templateOf(name: string, args: TemplateArgs) {
  const {
    container,
    image,
    variables = {},
    secretVariables = {},
    targetPort,
    healthPath,
    probeSeconds,
    cpu = replicaSizes.storefront.cpu,
    minReplicas = replicaCounts.storefrontMin,
    maxReplicas = replicaCounts.storefrontMax,
  } = args;
  const staysAwake = minReplicas >= 1 || (minReplicas === 0 && probeSeconds <= coolDownSeconds / 2);
  if (!(staysAwake && maxReplicas >= Math.max(1, minReplicas)))
    throw refusal(canaryAppNoReplica({ app: name, minReplicas, maxReplicas, probeSeconds }));
  if (!(cpu >= cpuStep && cpu <= cpuMost && Number.isInteger(cpu / cpuStep)))
    throw refusal(canaryAppSizeUnfit({ app: name, cpu }));
  const httpGet = { path: healthPath, port: targetPort };
  return {
    containers: [
      {
        name: container,
        image,
        env: [
          ...variablesOf(variables),
          ...Object.entries(secretVariables).map(([variable, secretRef]) => ({ name: variable, secretRef })),
        ],
        resources: resourcesOf({ cpu, gib: gibPerCpu * cpu }),
        probes: [
          { type: "Startup", httpGet, periodSeconds: 1, failureThreshold: 60 },
          { type: "Readiness", httpGet, periodSeconds: 5 },
          { type: "Liveness", tcpSocket: { port: targetPort }, periodSeconds: 10 },
        ],
      },
    ],
    scale: { minReplicas, maxReplicas },
  };
}

/** Returns the hash of a template; the order of its keys does not matter. */
export function releaseHash(template: unknown): string {
  return createHash("sha256").update(canonical(template)).digest("hex").slice(0, 16);
}
