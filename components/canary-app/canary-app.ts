// A service whose every change of template is released by canary. The app's traffic is the control plane's: this component
// sends it back as it finds it, so that a new revision starts with nothing, and asks for a rollout of that revision.
// It does not know how a rollout is decided, nor when it ends.

import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { shortfalls } from "../../engines/rollout/judge/power.ts";
import { cautions, checkIntent, defaultLimits, defaultPace } from "../../engines/rollout/plan.ts";
import type { Gate, Limits, OutsideWeights, Pace } from "../../engines/rollout/vocabulary.ts";
import { canaryAppBlind, canaryAppCautions, canaryAppPlan } from "../../errors/components.ts";
import { child, physicalName, refusal } from "../conventions.ts";
import { Release } from "./release.ts";
import { templateHash, templateOf } from "./template.ts";
import { readTraffic } from "./traffic.ts";
import { trafficGuard } from "./traffic-guard.ts";

/** What a canary app is, and how its releases go. */
export interface CanaryAppArgs {
  /** The resource group's name, plain: the live app is read at preview, which cannot wait for a resource. */
  readonly resourceGroup: string;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** Where the app runs: what `ContainerEnvironment` gives. */
  readonly environment: {
    /** The environment's id. */
    readonly id: pulumi.Input<string>;
    /** The domain under which its apps answer. */
    readonly domain: pulumi.Input<string>;
  };
  /** Who carries the releases out. */
  readonly controlPlane: {
    /** Its address: what `ControlPlane` gives. */
    readonly endpoint: pulumi.Input<string>;
    /** Whom tokens for it are for: the URI of an app registration, such as `api://ballast`. */
    readonly audience: string;
  };
  /** The container's image. A new one is a release; a tag that was pushed anew is none, since nothing shows that it was. */
  readonly image: string;
  /**
   * The container's environment. Plain text: what is secret does not belong here.
   *
   * @default {}
   */
  readonly variables?: { readonly [name: string]: string };
  /**
   * The app's secrets by name. They belong to the app and not to a revision, so that one that changes together with the template is refused.
   *
   * @default {}
   */
  readonly secrets?: { readonly [name: string]: pulumi.Input<string> };
  /**
   * Environment variables that get the value of a secret, by the secret's name.
   *
   * @default {}
   */
  readonly secretVariables?: { readonly [variable: string]: string };
  /**
   * Private registries, each with the id of the user-assigned identity that pulls from it.
   *
   * @default []
   */
  readonly registries?: readonly {
    /** The registry's name, such as `shop.azurecr.io`. */
    readonly server: string;
    /** The id of the identity, which the app gets too. */
    readonly identity: string;
  }[];
  /**
   * Where its telemetry goes, and as whom: what `Telemetry` gives as `sender`. The container finds it as `APPLICATIONINSIGHTS_CONNECTION_STRING` and, for a token of
   * its own, the id of the identity as `TELEMETRY_IDENTITY`; what it sends with is its own affair.
   *
   * @default nowhere
   */
  readonly telemetry?: {
    /** Kept as a secret of the app, so that the template, which is known at preview, only names it. */
    readonly connectionString: pulumi.Input<string>;
    /** The id of the identity, which the app gets too. */
    readonly identity: string;
  };
  /**
   * Whether the app is reached from outside its environment.
   *
   * @default true
   */
  readonly external?: boolean;
  /**
   * How the ingress speaks to the container. An app that was made by hand often has `auto`; taken over, it must go on with what it has.
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
   * The vCPUs of each replica, from 0.25 to 4 in steps of 0.25; its memory follows, two GiB a vCPU.
   *
   * It is part of the template, so that another size is released like any other change.
   *
   * @default 0.25
   */
  readonly cpu?: number;
  /**
   * How many replicas each revision keeps, at 1 percent of the traffic as at 100. With 0 the platform takes the last one away when nobody asks;
   * for as long as a rollout lasts, both revisions are kept awake by asking them, and after it they sleep as before.
   *
   * @default 1
   */
  readonly minReplicas?: number;
  /**
   * How many replicas a revision may grow to.
   *
   * @default 10
   */
  readonly maxReplicas?: number;
  /**
   * How fast a rollout goes; fields that are left out have their defaults. Plain numbers rather than inputs: they are planned at preview.
   *
   * @default every field's own
   */
  readonly pace?: Partial<Pace>;
  /**
   * What the judge tolerates; fields that are left out have their defaults.
   *
   * @default every field's own
   */
  readonly limits?: Partial<Limits>;
  /**
   * Other limits that judge every rollout beside, without power: its journal tells what they would have decided, and nobody is harmed while they
   * are tried out. What is left out is as in `limits`; empty means that nothing judges beside.
   *
   * @default {}
   */
  readonly shadowLimits?: Partial<Limits>;
  /**
   * How many requests the app gets in a minute in its quiet hours; 0 means that it is not known. Where it is known, a preview warns of a plan that could not promote a healthy canary, or not
   * find one that fails a point more, before its time is over; a usual failure share of half a percent is assumed.
   *
   * @default 0
   */
  readonly expectedRequestsPerMinute?: number;
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
  /**
   * What the control plane does when somebody else moves the weights while a rollout is under way: puts them back, or goes on from where they
   * are. With `adopt`, all traffic at stable is a rollback.
   *
   * @default "restore"
   */
  readonly outsideWeights?: OutsideWeights;
  /**
   * Where a person must say yes (`ballast release approve`) before the canary gets more, and for how long the rollout waits; then it is rolled back.
   *
   * @default nowhere
   */
  readonly gate?: Gate;
}

/** What is assumed of a service of which only the traffic is told. */
const usualFailurePercent = 0.5;

/** What the app calls the connection string. */
const telemetrySecret = "telemetry";

/** Gives the arguments with what telemetry means for a container. */
const withTelemetry = (args: CanaryAppArgs): CanaryAppArgs =>
  args.telemetry === undefined
    ? args
    : {
        ...args,
        variables: { TELEMETRY_IDENTITY: args.telemetry.identity, ...args.variables },
        secrets: { [telemetrySecret]: args.telemetry.connectionString, ...args.secrets },
        secretVariables: { APPLICATIONINSIGHTS_CONNECTION_STRING: telemetrySecret, ...args.secretVariables },
      };

/** A container app that is released by canary, and its present release. */
export class CanaryApp extends pulumi.ComponentResource {
  /** The app's id, known as soon as it is there and before its release has ended. */
  readonly appId: pulumi.Output<string>;
  /** Where users reach the app. */
  readonly url: pulumi.Output<string>;
  /** The revision that is released, as Azure named it. */
  readonly revision: pulumi.Output<string>;
  /** How its release ended; `in-flight` where nobody waited. */
  readonly result: Release["result"];
  /** Why it ended so, in the judge's words. */
  readonly sentence: pulumi.Output<string>;

  constructor(name: string, given: CanaryAppArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = withTelemetry(given);
    // The component's own inputs lie in the state too.
    super(
      "ballast:index:CanaryApp",
      name,
      args.secrets ? { ...args, secrets: pulumi.secret(args.secrets) } : args,
      opts,
    );
    const {
      resourceGroup,
      location,
      environment,
      targetPort = 8080,
      probePath = "/",
      healthPath = probePath,
      registries = [],
    } = args;
    const pace = { ...defaultPace, ...args.pace };
    const limits = { ...defaultLimits, ...args.limits };
    const appName = physicalName("app", name, resourceGroup);
    const shadowLimits =
      Object.keys(args.shadowLimits ?? {}).length > 0 ? { ...limits, ...args.shadowLimits } : undefined;
    const complaints = checkIntent({ pace, limits, shadow: shadowLimits, gate: args.gate });
    if (complaints.length > 0) throw refusal(canaryAppPlan({ app: name, complaints }));
    this.warn(name, { pace, limits }, args.expectedRequestsPerMinute ?? 0);
    const template = templateOf(name, {
      ...args,
      container: appName,
      targetPort,
      healthPath,
      probeSeconds: pace.probeSeconds,
    });
    const configuration = {
      activeRevisionsMode: "Multiple",
      ...(registries.length > 0
        ? { registries: registries.map(({ server, identity }) => ({ server, identity })) }
        : {}),
    };
    const ingress = { external: args.external ?? true, targetPort, transport: args.transport ?? "http" };
    const planned = {
      configuration: {
        ...configuration,
        ingress,
        secrets: Object.keys(args.secrets ?? {}).map((secret) => ({ name: secret })),
      },
      template,
    };
    const traffic = readTraffic(resourceGroup, appName, this, planned).catch((error: unknown) => {
      throw refusal(error);
    });
    const identities = [
      ...new Set([...registries.map(({ identity }) => identity), ...(args.telemetry ? [args.telemetry.identity] : [])]),
    ];

    const app = new ContainerApp(
      child(name, "app"),
      {
        containerAppName: appName,
        resourceGroupName: resourceGroup,
        location,
        managedEnvironmentId: environment.id,
        ...(identities.length > 0 ? { identity: { type: "UserAssigned", userAssignedIdentities: identities } } : {}),
        configuration: {
          ...configuration,
          ...(args.secrets
            ? {
                secrets: Object.entries(args.secrets).map(([secret, value]) => ({
                  name: secret,
                  value: pulumi.secret(value),
                })),
              }
            : {}),
          ingress: { ...ingress, traffic },
        },
        template,
      },
      {
        parent: this,
        // An app that was imported has these as inputs, since Azure shows them; to drop them would replace the app, users and all.
        ignoreChanges: ["environmentId", "workloadProfileName"],
        hooks: trafficGuard({ name, ...args.controlPlane, resourceGroup, app: appName }, this),
      },
    );

    const release = new Release(
      child(name, "release"),
      {
        ...args.controlPlane,
        resourceGroup,
        app: appName,
        revision: app.latestRevisionName,
        release: templateHash(template),
        pace,
        limits,
        ...(shadowLimits ? { shadowLimits } : {}),
        probePath,
        wait: args.wait ?? true,
        whenInFlight: args.whenInFlight ?? "refuse",
        outsideWeights: args.outsideWeights ?? "restore",
        ...(args.gate && { gate: args.gate }),
      },
      { parent: this, dependsOn: app },
    );

    this.appId = app.id;
    this.url = pulumi.all([environment.domain, app.id]).apply(([domain]) => `https://${appName}.${domain}`);
    this.revision = release.revision;
    this.result = release.result;
    this.sentence = release.sentence;
    this.registerOutputs({
      appId: this.appId,
      url: this.url,
      revision: this.revision,
      result: this.result,
      sentence: this.sentence,
    });
  }

  /** Says what is allowed, and still worth a thought before anything is deployed. */
  private warn(app: string, plan: { readonly pace: Pace; readonly limits: Limits }, requestsPerMinute: number): void {
    const given = cautions(plan);
    const missing =
      requestsPerMinute === 0
        ? []
        : shortfalls(plan, { requestsPerMinute, failurePercent: usualFailurePercent, dispersion: 1 });
    if (given.length > 0) void pulumi.log.warn(canaryAppCautions({ app, cautions: given }).toString(), this);
    if (missing.length > 0) void pulumi.log.warn(canaryAppBlind({ app, shortfalls: missing }).toString(), this);
  }
}
