// A service whose every change of template is released by canary. The app's traffic is the control plane's: this component
// sends it back as it finds it, so that a new revision starts with nothing, and asks for a rollout of that revision.
// It does not know how a rollout is decided, nor when it ends.
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import { canonical } from "../controlplane/engines/canonical.ts";
import type { Limits, Pace } from "../controlplane/engines/rollout/vocabulary.ts";
import { checkIntent, defaultLimits, defaultPace } from "../controlplane/engines/rollout/plan.ts";
import { canaryAppNoReplica, canaryAppPlan } from "../errors/components.ts";
import { child, physicalName, refusal } from "./conventions.ts";
import { Release } from "./release.ts";
import { trafficGuard } from "./traffic-guard.ts";
import { readTraffic } from "./traffic.ts";

export interface CanaryAppArgs {
  /** The resource group's name, plain: the live app is read at preview, which cannot wait for a resource. */
  readonly resourceGroup: string;
  readonly location: string;
  readonly environment: { readonly id: pulumi.Input<string>; readonly domain: pulumi.Input<string> };
  /** Where releases are asked for, and whom tokens for it are for. */
  readonly controlPlane: { readonly endpoint: pulumi.Input<string>; readonly audience: string };
  readonly image: string;
  /**
   * The container's environment. Plain text: what is secret does not belong here.
   *
   * @default {}
   */
  readonly variables?: { readonly [name: string]: string };
  /**
   * The port on which the container listens.
   *
   * @default 8080
   */
  readonly targetPort?: number;
  /**
   * Path that must answer with a status below 400 for a replica to be ready; the platform asks it.
   *
   * @default probePath
   */
  readonly healthPath?: string;
  /**
   * A path that users take and that must answer with a status below 400 for a canary to be whole; the rollout asks it on the
   * canary's own address. A service that hangs often still answers its health checks.
   *
   * @default "/"
   */
  readonly probePath?: string;
  /**
   * How many replicas each revision keeps, at 1 percent of the traffic as at 100; at least 1, so that rollback stays possible.
   *
   * @default 1
   */
  readonly minReplicas?: number;
  /** @default 10 */
  readonly maxReplicas?: number;
  /**
   * How fast a rollout goes. Plain numbers rather than inputs: they are planned at preview.
   *
   * @default defaultPace of the rollout engine
   */
  readonly pace?: Pace;
  /**
   * What the judge tolerates.
   *
   * @default defaultLimits of the rollout engine
   */
  readonly limits?: Limits;
  /**
   * Whether `pulumi up` waits for the rollout's end.
   *
   * @default true
   */
  readonly wait?: boolean;
  /**
   * What to do when another release of the app is still in flight.
   *
   * @default "refuse"
   */
  readonly whenInFlight?: "refuse" | "supersede";
}

/** A container app that is released by canary, and its present release. */
export class CanaryApp extends pulumi.ComponentResource {
  /** The app's id, known as soon as it is there and before its release has ended. */
  readonly appId: pulumi.Output<string>;
  /** Where users reach the app. */
  readonly url: pulumi.Output<string>;
  /** The revision that is released, as Azure named it. */
  readonly revision: pulumi.Output<string>;
  readonly result: Release["result"];
  readonly sentence: pulumi.Output<string>;

  constructor(name: string, args: CanaryAppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:CanaryApp", name, args, opts);
    const { resourceGroup, location, environment, pace = defaultPace, limits = defaultLimits, targetPort = 8080, probePath = "/", healthPath = probePath } = args;
    const appName = physicalName("app", name, resourceGroup);
    const complaints = checkIntent({ pace, limits });
    if (complaints.length > 0) throw refusal(canaryAppPlan({ app: name, complaints }));
    const traffic = readTraffic(resourceGroup, appName, this).catch((error: unknown) => {
      throw refusal(error);
    });
    const template = templateOf(name, appName, args, targetPort, healthPath);

    const app = new ContainerApp(child(name, "app"), {
      containerAppName: appName,
      resourceGroupName: resourceGroup, location,
      managedEnvironmentId: environment.id,
      configuration: {
        activeRevisionsMode: "Multiple",
        ingress: { external: true, targetPort, transport: "http", traffic },
      },
      template,
    }, { parent: this, hooks: trafficGuard({ name, ...args.controlPlane, resourceGroup, app: appName }, this) });

    const release = new Release(child(name, "release"), {
      ...args.controlPlane, resourceGroup, app: appName,
      revision: app.latestRevisionName,
      release: templateHash(template),
      pace, limits, probePath,
      wait: args.wait ?? true,
      whenInFlight: args.whenInFlight ?? "refuse",
    }, { parent: this, dependsOn: app });

    this.appId = app.id;
    this.url = pulumi.all([environment.domain, app.id]).apply(([domain]) => `https://${appName}.${domain}`);
    this.revision = release.revision;
    this.result = release.result;
    this.sentence = release.sentence;
    this.registerOutputs({ appId: this.appId, url: this.url, revision: this.revision, result: this.result, sentence: this.sentence });
  }
}

/** Gives the template of which Azure makes a revision. No suffix: one that was ever used can never be used again, by a revert least of all. */
function templateOf(name: string, container: string, args: CanaryAppArgs, targetPort: number, healthPath: string) {
  const { image, variables = {}, minReplicas = 1, maxReplicas = 10 } = args;
  if (!(minReplicas >= 1 && maxReplicas >= minReplicas)) throw refusal(canaryAppNoReplica({ app: name, minReplicas, maxReplicas }));
  const httpGet = { path: healthPath, port: targetPort };
  return {
    containers: [{
      name: container,
      image,
      env: Object.entries(variables).map(([variable, value]) => ({ name: variable, value })),
      resources: { cpu: 0.25, memory: "0.5Gi" },
      probes: [
        { type: "Startup", httpGet, periodSeconds: 1, failureThreshold: 60 },
        { type: "Readiness", httpGet, periodSeconds: 5 },
        { type: "Liveness", tcpSocket: { port: targetPort }, periodSeconds: 10 },
      ],
    }],
    scale: { minReplicas, maxReplicas },
  };
}

/** Gives the same name to the same template, whatever order its keys are written in. */
export function templateHash(template: unknown): string {
  return createHash("sha256").update(canonical(template)).digest("hex").slice(0, 16);
}
