// The arguments of a container app that serves HTTP with one container, in a few words. It is only a short form: it
// returns azure-native's own arguments, which a program may change before it passes them on.
import type { ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { replicaCounts } from "../../defaults.ts";
import { httpAppSizeUnfit } from "../../errors/canary-app.ts";
import { argumentForms } from "../argument-forms.ts";
import { appIn, readFunctionArguments } from "../arguments.ts";
import { refusal, replicaSizes, resourcesOf, variablesOf } from "../conventions.ts";
import { startupFailuresMax } from "./probe-limits.ts";

/** What a simple HTTP app needs. */
export interface HttpAppArgs {
  /** The app's name in Azure. Its container has the same name. */
  readonly containerAppName: pulumi.Input<string>;
  /** The name of the resource group. */
  readonly resourceGroupName: pulumi.Input<string>;
  /**
   * The Azure region, such as `westeurope`.
   *
   * @default the location of the provider
   */
  readonly location?: pulumi.Input<string>;
  /** The id of the environment in which the app runs: the output `environmentId` of `ContainerEnvironment`. */
  readonly environmentId: pulumi.Input<string>;
  /** The container's image. */
  readonly image: pulumi.Input<string>;
  /**
   * The container's environment variables, in plain text. Use `secrets` and `secretVariables` for secrets.
   *
   * @default {}
   */
  readonly variables?: { readonly [name: string]: pulumi.Input<string> };
  /**
   * The app's secrets by name. All revisions share them, so an update that changes a secret's value together with the
   * template is refused.
   *
   * @default {}
   */
  readonly secrets?: { readonly [name: string]: pulumi.Input<string> };
  /**
   * Environment variables that get a secret's value, each with the secret's name.
   *
   * @default {}
   */
  readonly secretVariables?: { readonly [variable: string]: string };
  /**
   * Private registries, each with the user-assigned identity that pulls from it.
   *
   * @default []
   */
  readonly registries?: readonly {
    /** The registry's address, such as `shop.azurecr.io`. */
    readonly server: pulumi.Input<string>;
    /** The id of the identity. The app gets this identity too. */
    readonly identity: pulumi.Input<string>;
  }[];
  /**
   * Where the app sends telemetry: the output `sender` of `Telemetry`. The container gets the connection string as
   * `APPLICATIONINSIGHTS_CONNECTION_STRING` and the identity's id as `TELEMETRY_IDENTITY`. What it sends is up to its
   * own code.
   *
   * @default none
   */
  readonly telemetry?: {
    /**
     * The connection string. It is a plain variable: it grants nothing by itself, since the component of `Telemetry`
     * takes Entra tokens only.
     */
    readonly connectionString: pulumi.Input<string>;
    /** The id of the identity that may publish. The app gets this identity too. */
    readonly identity: pulumi.Input<string>;
  };
  /**
   * Whether the app can be reached from outside its environment.
   *
   * @default true
   */
  readonly external?: boolean;
  /**
   * The protocol between ingress and container.
   *
   * @default "http"
   */
  readonly transport?: "http" | "http2" | "auto";
  /**
   * The port on which the container listens.
   *
   * @default 8080
   */
  readonly targetPort?: number;
  /**
   * The path that the platform requests to see whether a replica is ready; a status below 400 means that it is.
   *
   * @default "/"
   */
  readonly healthPath?: string;
  /**
   * How long a replica may take to answer `healthPath` after its start, in whole seconds, at most 3,600. Then the
   * platform restarts it. A release waits for the first answer this long, or for the `smokeSeconds` of its strategy if
   * those are longer.
   *
   * @default 60
   */
  readonly startupSeconds?: number;
  /**
   * The vCPUs of each replica, from 0.25 to 4 in steps of 0.25. Memory follows: 2 GiB per vCPU.
   *
   * @default 0.25
   */
  readonly cpu?: number;
  /**
   * The minimum number of replicas of each revision, whatever its share of the traffic. With 0 the platform removes the
   * last replica when there are no requests. During a rollout, probes keep a replica of both revisions running.
   *
   * @default 1
   */
  readonly minReplicas?: number;
  /**
   * The maximum number of replicas of each revision.
   *
   * @default 10
   */
  readonly maxReplicas?: number;
}

/** The sizes of the Consumption profile. Source: learn.microsoft.com/azure/container-apps/containers#allocations */
const cpuStep = 0.25;
const cpuMost = 4;
const gibPerCpu = 2;

/**
 * Returns the arguments of a ContainerApp, or of a CanaryApp, for an HTTP app with one container.
 *
 * Everything that it leaves to you is a field of the result, so that you can add a sidecar or a scale rule later.
 *
 * @throws component-arguments-refused
 * @throws http-app-size-unfit if Azure does not have the size
 */
export function httpApp(given: HttpAppArgs): ContainerAppArgs & Pick<HttpAppArgs, "containerAppName"> {
  const args = withTelemetry(readFunctionArguments("httpApp", argumentForms.httpApp, given));
  const { containerAppName, resourceGroupName, location, environmentId, registries = [], secrets = {} } = args;
  const { external = true, targetPort = 8080, transport = "http" } = args;
  const identities = identitiesOf(args);
  const secretList = Object.entries(secrets).map(([name, value]) => ({ name, value: pulumi.secret(value) }));
  return {
    containerAppName,
    resourceGroupName,
    ...(location !== undefined && { location }),
    managedEnvironmentId: environmentId,
    ...(identities.length > 0 && { identity: { type: "UserAssigned", userAssignedIdentities: identities } }),
    configuration: {
      ingress: { external, targetPort, transport },
      ...(registries.length > 0 && { registries: registries.map(({ server, identity }) => ({ server, identity })) }),
      ...(secretList.length > 0 && { secrets: secretList }),
    },
    template: templateOf(args, targetPort),
  };
}

function templateOf(args: HttpAppArgs, port: number): NonNullable<ContainerAppArgs["template"]> {
  const { containerAppName, image, variables = {}, secretVariables = {}, healthPath = "/" } = args;
  const { cpu = replicaSizes.storefront.cpu, startupSeconds = 60 } = args;
  const { minReplicas = replicaCounts.storefrontMin, maxReplicas = replicaCounts.storefrontMax } = args;
  if (!(cpu >= cpuStep && cpu <= cpuMost && Number.isInteger(cpu / cpuStep)))
    throw refusal(httpAppSizeUnfit({ cpu, app: appIn(args) }));
  const httpGet = { path: healthPath, port };
  // As often as Azure's limit allows, so that a replica gets its traffic as soon as it can.
  const periodSeconds = Math.ceil(startupSeconds / startupFailuresMax);
  const failureThreshold = Math.ceil(startupSeconds / periodSeconds);
  return {
    containers: [
      {
        name: containerAppName,
        image,
        env: [
          ...variablesOf(variables),
          ...Object.entries(secretVariables).map(([variable, secretRef]) => ({ name: variable, secretRef })),
        ],
        resources: resourcesOf({ cpu, gib: gibPerCpu * cpu }),
        probes: [
          { type: "Startup", httpGet, periodSeconds, failureThreshold },
          { type: "Readiness", httpGet, periodSeconds: 5 },
          { type: "Liveness", tcpSocket: { port }, periodSeconds: 10 },
        ],
      },
    ],
    scale: { minReplicas, maxReplicas },
  };
}

/** Returns the arguments with the variables that telemetry needs in the container. */
function withTelemetry(args: HttpAppArgs): HttpAppArgs {
  const { telemetry } = args;
  if (telemetry === undefined) return args;
  return {
    ...args,
    variables: {
      APPLICATIONINSIGHTS_CONNECTION_STRING: telemetry.connectionString,
      TELEMETRY_IDENTITY: telemetry.identity,
      ...args.variables,
    },
  };
}

/** Lists the identities that the app needs: those that pull, and the one that sends telemetry. */
const identitiesOf = ({ registries = [], telemetry }: HttpAppArgs): pulumi.Input<string>[] => [
  ...new Set([...registries.map(({ identity }) => identity), ...(telemetry ? [telemetry.identity] : [])]),
];
