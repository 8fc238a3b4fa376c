// A container app whose every change of template is released by canary. The control plane owns the app's
// traffic: this component sends back the traffic that it finds, so that a new revision starts at weight 0, and
// then requests a rollout of that revision.

import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { shortfalls } from "../../engines/rollout/judge/power.ts";
import { cautions, checkIntent, defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { Gate, OutsideWeights, Strategy, Thresholds } from "../../engines/rollout/vocabulary.ts";
import { canaryAppBlind, canaryAppCautions, canaryAppPlan } from "../../errors/components.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, physicalName, refusal, say, settingOf } from "../conventions.ts";
import { Release } from "./release.ts";
import { releaseHash, templateOf } from "./template.ts";
import { readTraffic } from "./traffic.ts";
import { trafficGuard } from "./traffic-guard.ts";

/** The app, and how its releases go. */
export interface CanaryAppArgs {
  /**
   * The name of the resource group. It is a plain string, since the live app is read at preview, before any resource is
   * known.
   */
  readonly resourceGroup: string;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The environment in which the app runs: outputs of `ContainerEnvironment`. */
  readonly environment: {
    /** The environment's id. */
    readonly id: pulumi.Input<string>;
    /** The domain under which its apps answer. */
    readonly domain: pulumi.Input<string>;
  };
  /** The control plane that carries out the releases. */
  readonly controlPlane: {
    /** Its address: the output `endpoint` of `ControlPlane`. */
    readonly endpoint: pulumi.Input<string>;
    /** The audience of the tokens that it accepts: the URI of an app registration, such as `api://ballast`. */
    readonly audience: string;
  };
  /**
   * The container's image. Another image is a release. A tag that was pushed again is not, since its name did not
   * change.
   */
  readonly image: string;
  /**
   * The container's environment variables, in plain text. Use `secrets` and `secretVariables` for secrets.
   *
   * @default {}
   */
  readonly variables?: { readonly [name: string]: string };
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
    readonly server: string;
    /** The id of the identity. The app gets this identity too. */
    readonly identity: string;
  }[];
  /**
   * Where the app sends telemetry: the output `sender` of `Telemetry`. The container gets the connection string as
   * `APPLICATIONINSIGHTS_CONNECTION_STRING` and the identity's id as `TELEMETRY_IDENTITY`. What it sends is up to its
   * own code.
   *
   * @default none
   */
  readonly telemetry?: {
    /** The connection string. It becomes a secret of the app, so that the template, known at preview, only names it. */
    readonly connectionString: pulumi.Input<string>;
    /** The id of the identity that may publish. The app gets this identity too. */
    readonly identity: string;
  };
  /**
   * Whether the app can be reached from outside its environment.
   *
   * @default true
   */
  readonly external?: boolean;
  /**
   * The protocol between ingress and container. An app that was made without Pulumi often has `auto`; when you adopt
   * it, keep what it has.
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
   * @default probePath
   */
  readonly healthPath?: string;
  /**
   * A path that users request. The rollout probes it on the canary's own address; a status below 400 means that the
   * canary is well. Choose another one than `healthPath`: a service that hangs often still answers its health checks.
   *
   * @default "/"
   */
  readonly probePath?: string;
  /**
   * The vCPUs of each replica, from 0.25 to 4 in steps of 0.25. Memory follows: 2 GiB per vCPU. The size is part of the
   * template, so another one is a release.
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
  /**
   * The steps of a rollout and their times, in percent and seconds. A field that is left out has its default. Values
   * are plain numbers, not inputs, since the plan is checked at preview.
   *
   * @default every field's own
   */
  readonly strategy?: Partial<Strategy>;
  /**
   * What the judge tolerates. A field that is left out has its default.
   *
   * @default every field's own
   */
  readonly thresholds?: Partial<Thresholds>;
  /**
   * Dry-run thresholds: the judge applies them to every rollout as well, and the journal says what they would have
   * decided. They decide nothing, so that you can try them out on real releases. A field that is left out is as in
   * `thresholds`; an empty object means no dry run.
   *
   * @default {}
   */
  readonly dryRunThresholds?: Partial<Thresholds>;
  /**
   * The app's requests per minute in its quiet hours; 0 means unknown. If it is known, a preview warns of a plan that
   * would run out of time before it could promote a healthy canary or detect one that fails one percentage point more
   * than stable. It assumes that 0.5 percent of stable's requests fail.
   *
   * @default 0
   */
  readonly expectedRequestsPerMinute?: number;
  /**
   * Whether `pulumi up` waits until the rollout has ended, and fails if the release was not promoted.
   *
   * @default true
   */
  readonly wait?: boolean;
  /**
   * What to do when another release of the app is in flight: refuse the new one and deactivate its revision, or abort
   * the one in flight first. A release with stable's template always aborts the one in flight.
   *
   * @default "refuse"
   */
  readonly whenInFlight?: "refuse" | "supersede";
  /**
   * What the control plane does when another client changes the weights during a rollout: restore its own weights, or
   * adopt the new ones and go on from there. With `adopt`, giving all traffic to stable rolls the release back.
   *
   * @default "restore"
   */
  readonly outsideWeights?: OutsideWeights;
  /**
   * The share of the traffic that a person who did not ask for the release must approve (`ballast release approve`),
   * and how long the rollout waits for the approval before it is rolled back.
   *
   * @default no approval is needed
   */
  readonly gate?: Gate;
}

/** The failure percentage of stable that is assumed when only its traffic is known. */
const assumedFailurePercent = 0.5;

/** The name of the app's secret that holds the connection string. */
const telemetrySecret = "telemetry";

/** What a rollout is judged by, with all defaults. */
interface Plan {
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  readonly dryRun: Thresholds | undefined;
}

/** Arguments with the defaults that several children need, and the app's name in Azure. */
type Completed = CanaryAppArgs &
  Required<Pick<CanaryAppArgs, "targetPort" | "probePath" | "healthPath" | "registries">> & {
    readonly appName: string;
  };

type Template = ReturnType<typeof templateOf>;

/** A container app that is released by canary, and its current release. */
export class CanaryApp extends pulumi.ComponentResource {
  /** The app's id. It is known as soon as the app is deployed, before its release has ended. */
  readonly appId: pulumi.Output<string>;
  /** The address at which users reach the app. */
  readonly url: pulumi.Output<string>;
  /** The released revision, as Azure named it. */
  readonly revision: pulumi.Output<string>;
  /** The result of the release; `in-flight` if the update did not wait for it. */
  readonly result: Release["result"];
  /** Why the release ended so, as a code that programs can compare, such as `worse-than-stable`. */
  readonly reason: pulumi.Output<string>;
  /** The same for people, with the numbers that decided. */
  readonly message: pulumi.Output<string>;

  constructor(name: string, given: CanaryAppArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = withTelemetry(readArguments("CanaryApp", name, argumentForms.CanaryApp, given));
    // The component's own inputs are in the state too, so its secrets must be marked.
    const inputs = args.secrets ? { ...args, secrets: pulumi.secret(args.secrets) } : args;
    super("ballast:index:CanaryApp", name, inputs, opts);
    const { targetPort = 8080, probePath = "/", healthPath = probePath, registries = [] } = args;
    const appName = physicalName("app", name, args.resourceGroup);
    const completed: Completed = { ...args, targetPort, probePath, healthPath, registries, appName };
    const plan = planOf(name, args);
    this.#warn(name, plan, args.expectedRequestsPerMinute ?? 0);
    const { probeSeconds } = plan.strategy;
    const template = templateOf(name, { ...completed, container: appName, probeSeconds });

    const app = this.#deploy(name, completed, template);
    const release = this.#release(name, completed, plan, template, app);

    this.appId = app.id;
    this.url = pulumi.all([args.environment.domain, app.id]).apply(([domain]) => `https://${appName}.${domain}`);
    this.revision = release.revision;
    this.result = release.result;
    this.reason = release.reason;
    this.message = release.message;
    this.registerOutputs({
      appId: this.appId,
      url: this.url,
      revision: this.revision,
      result: this.result,
      reason: this.reason,
      message: this.message,
    });
  }

  /** Declares the app with the traffic that it has now. */
  #deploy(name: string, args: Completed, template: Template): ContainerApp {
    const { appName, resourceGroup, targetPort, registries, secrets } = args;
    const configuration = {
      activeRevisionsMode: "Multiple",
      ...(registries.length > 0 && { registries: registries.map(({ server, identity }) => ({ server, identity })) }),
    };
    const ingress = { external: args.external ?? true, targetPort, transport: args.transport ?? "http" };
    const secretNames = Object.keys(secrets ?? {}).map((secret) => ({ name: secret }));
    const planned = { configuration: { ...configuration, ingress, secrets: secretNames }, template };
    const traffic = readTraffic(resourceGroup, appName, this, planned).catch((error: unknown) => {
      throw refusal(error);
    });
    const identities = identitiesOf(args);
    return new ContainerApp(
      child(name, "app"),
      {
        containerAppName: appName,
        resourceGroupName: resourceGroup,
        location: args.location,
        managedEnvironmentId: args.environment.id,
        ...(identities.length > 0 && { identity: { type: "UserAssigned", userAssignedIdentities: identities } }),
        configuration: {
          ...configuration,
          ...(secrets && {
            secrets: Object.entries(secrets).map(([secret, value]) => ({ name: secret, value: pulumi.secret(value) })),
          }),
          ingress: { ...ingress, traffic },
        },
        template,
      },
      {
        parent: this,
        // An imported app has these as inputs, since Azure shows them. Removing them would replace the app.
        ignoreChanges: ["environmentId", "workloadProfileName"],
        hooks: trafficGuard({ name, ...args.controlPlane, resourceGroup, app: appName }, this),
      },
    );
  }

  /** Declares the release of the app's latest revision. */
  #release(name: string, args: Completed, plan: Plan, template: Template, app: ContainerApp): Release {
    return new Release(
      child(name, "release"),
      {
        ...args.controlPlane,
        resourceGroup: args.resourceGroup,
        app: args.appName,
        revision: app.latestRevisionName,
        release: releaseHash(template),
        strategy: plan.strategy,
        thresholds: plan.thresholds,
        ...(plan.dryRun && { dryRunThresholds: plan.dryRun }),
        probePath: args.probePath,
        wait: args.wait ?? true,
        whenInFlight: args.whenInFlight ?? "refuse",
        outsideWeights: args.outsideWeights ?? "restore",
        ...(args.gate && { gate: args.gate }),
      },
      { parent: this, dependsOn: app },
    );
  }

  /** Logs what is allowed and still deserves a thought before anything is deployed. */
  #warn(app: string, plan: Plan, requestsPerMinute: number): void {
    const given = cautions(plan);
    const traffic = { requestsPerMinute, failurePercent: assumedFailurePercent, dispersion: 1 };
    const missing = requestsPerMinute === 0 ? [] : shortfalls(plan, traffic);
    const [strategy, thresholds] = [settingOf("strategy"), settingOf("thresholds")];
    if (given.length > 0) void say(canaryAppCautions({ app, cautions: given, settings: [strategy, thresholds] }), this);
    if (missing.length > 0) void say(canaryAppBlind({ app, shortfalls: missing, strategy, thresholds }), this);
  }
}

/** Returns the arguments with the variables and the secret that telemetry needs in the container. */
function withTelemetry(args: CanaryAppArgs): CanaryAppArgs {
  const { telemetry } = args;
  if (telemetry === undefined) return args;
  return {
    ...args,
    variables: { TELEMETRY_IDENTITY: telemetry.identity, ...args.variables },
    secrets: { [telemetrySecret]: telemetry.connectionString, ...args.secrets },
    secretVariables: { APPLICATIONINSIGHTS_CONNECTION_STRING: telemetrySecret, ...args.secretVariables },
  };
}

/** Returns the plan of releases with all defaults, and refuses one that cannot be carried out. */
function planOf(app: string, args: CanaryAppArgs): Plan {
  const strategy: Strategy = { ...defaultStrategy, ...args.strategy };
  const thresholds: Thresholds = { ...defaultThresholds, ...args.thresholds };
  const hasDryRun = Object.keys(args.dryRunThresholds ?? {}).length > 0;
  const dryRun = hasDryRun ? { ...thresholds, ...args.dryRunThresholds } : undefined;
  const complaints = checkIntent({ strategy, thresholds, dryRun, gate: args.gate });
  if (complaints.length > 0) throw refusal(canaryAppPlan({ app, complaints, settings: planSettings(args) }));
  return { strategy, thresholds, dryRun };
}

const planArguments = ["strategy", "thresholds", "dryRunThresholds", "gate"] as const;

/** Names what the program sets of the plan, so that a fix names nothing that is not there. */
const planSettings = (args: CanaryAppArgs): readonly string[] =>
  planArguments.filter((argument) => args[argument] !== undefined).map((argument) => settingOf(argument));

/** Lists the identities that the app needs: those that pull, and the one that sends telemetry. */
function identitiesOf({ registries, telemetry }: Completed): string[] {
  const sender = telemetry ? [telemetry.identity] : [];
  return [...new Set([...registries.map(({ identity }) => identity), ...sender])];
}
