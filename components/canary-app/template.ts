// The template of which Azure makes a revision, and its name. No suffix of ours: one that was ever used can never be used again, by a
// revert least of all. It knows nothing of traffic and of releases.
import { createHash } from "node:crypto";
import { replicaCounts } from "../../defaults.ts";
import { canonical } from "../../engines/canonical.ts";
import { canaryAppNoReplica, canaryAppSizeUnfit } from "../../errors/components.ts";
import { refusal, replicaSizes, resourcesOf, variablesOf } from "../conventions.ts";

/** What a template is made of, in the words of CanaryAppArgs, which has their defaults. */
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

/** After so long without a request Azure takes the last replica away, unless it is told otherwise. */
const coolDownSeconds = 300;

/** The sizes that the Consumption profile has: so many vCPUs, in such steps, each with so much memory (learn.microsoft.com/azure/container-apps/containers#allocations). */
const cpuStep = 0.25;
const cpuMost = 4;
const gibPerCpu = 2;

/** Gives the template, or refuses one of a size that there is not, or whose replicas would not stay awake through a rollout. */
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

/** Gives the same name to the same template, whatever order its keys are written in. */
export function templateHash(template: unknown): string {
  return createHash("sha256").update(canonical(template)).digest("hex").slice(0, 16);
}
