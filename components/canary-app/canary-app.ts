// A container app whose every change of template is released by canary. It takes azure-native's own arguments of a
// ContainerApp and passes them on. The control plane owns the app's traffic: this component sends back the traffic that
// it finds, so that a new revision starts at weight 0, and then requests a rollout of that revision.

import { ContainerApp, type ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { shortfalls } from "../../engines/rollout/judge/power.ts";
import { cautions } from "../../engines/rollout/plan.ts";
import type { ProbeRequest } from "../../engines/rollout/probe-request.ts";
import type { Gate, OutsideWeights, Strategy, Thresholds } from "../../engines/rollout/vocabulary.ts";
import {
  canaryAppBlind,
  canaryAppCautions,
  canaryAppConsumes,
  canaryAppProbes,
  canaryAppUnnamed,
} from "../../errors/canary-app.ts";
import { argumentForms } from "../argument-forms.ts";
import { isOutput, readArguments, refuseProblems } from "../arguments.ts";
import { child, logOn, refusal, say, settingOf, usesMocks } from "../conventions.ts";
import { type Planned, refuseAdoption, refuseApp, withSlots } from "./adopt.ts";
import { type AppCredentials, refuseUnfit, withCredentials } from "./app-credentials.ts";
import { messageSources } from "./consumers.ts";
import { type CredentialSlot, liveSlots, revisionInDoubt } from "./credential-slots.ts";
import { keptAndIgnored, pathsOf, watchTransforms } from "./ignored.ts";
import { fromKnownParts, hasHole, hole } from "./known-parts.ts";
import { lossGuard } from "./loss-guard.ts";
import { type KeptSetting, keptOf, type LostSetting } from "./losses.ts";
import { lacks, misuses, type Usable } from "./misuse.ts";
import { movedSecret } from "./moved-secret.ts";
import { type CanaryAppOptions, splitOptions, withVersionedTypes } from "./options.ts";
import { type Plan, planOf } from "./plan.ts";
import { doubtful, hidden, unread } from "./preview-notes.ts";
import { probeComplaints } from "./probe-limits.ts";
import { leftAsIs, noRecreation, ofSameApp } from "./recreation.ts";
import { Release } from "./release.ts";
import { releaseKey } from "./release-key.ts";
import { type Live, takeOver } from "./take-over.ts";
import { readLive, servingIn, trafficToSend } from "./traffic.ts";
import { trafficGuard, untilProviderRuns } from "./traffic-guard.ts";

/** A ContainerApp as azure-native takes it, and how its releases go. */
export interface CanaryAppArgs extends ContainerAppArgs {
  /**
   * The app's name in Azure. It must be given, since the live app is read before the update. If Pulumi made up the name
   * of an app that you take over, it is in the state (`pulumi stack export`).
   */
  readonly containerAppName: pulumi.Input<string>;
  /** The control plane that carries out the releases. */
  readonly controlPlane: {
    /** Its address: the output `endpoint` of `ControlPlane`. */
    readonly endpoint: pulumi.Input<string>;
    /** The audience of the tokens that it accepts: the URI of an app registration, such as `api://ballast`. */
    readonly audience: string;
  };
  /**
   * A path that users request. The rollout probes it on the canary's own address; a status from 200 to 299 means that
   * the canary is well. Choose another one than that of the app's own probes: a service that hangs often still answers
   * its health checks.
   *
   * @default "/"
   */
  readonly probePath?: string;
  /**
   * What a probe sends beside its path, and what it expects: the app's public `host` for one that redirects or refuses
   * others, `headers`, and the `statuses` that mean that the canary is well.
   *
   * @default no more than the path, and a status from 200 to 299
   */
  readonly probe?: ProbeRequest;
  /**
   * Settings of the live app that an update sends back as it finds them, beside what the program says: domains that
   * somebody binds by hand, or tags that a policy adds.
   *
   * @default []
   */
  readonly keepLive?: readonly KeptSetting[];
  /**
   * Settings of the live app that an update may take away, since the program does not say them. Without this, the
   * update is refused by name.
   *
   * @default []
   */
  readonly acceptLoss?: readonly LostSetting[];
  /**
   * The rotated credentials of the app, by the variable of its first container that gets the value: `uri()`,
   * `keyValue()`, `dotnet()`, `user()` or `password()` of a `DatabaseCredential`. Each adds two secrets by reference
   * and the identity that reads them. The app must be one of the credential's consumers, and may hold no other secret
   * by value.
   *
   * @default {}
   */
  readonly credentials?: AppCredentials;
  /**
   * The secrets of rotated credentials, two names for each. The template names one of the two. An update leaves it to
   * the rotation which one that is: it names the one that the live app names, and leaves both where they are in Key
   * Vault.
   *
   * @default []
   */
  readonly credentialSlots?: readonly CredentialSlot[];
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

const type = "ballast:index:CanaryApp";

/** What a reading of the live app goes by, beside the arguments. */
interface Beside {
  readonly note: (line: string) => void;
  readonly ignoreChanges: readonly string[];
}

/** The app, and what names its release. */
interface Deployed {
  readonly app: ContainerApp;
  readonly key: pulumi.Output<string>;
  readonly serving: pulumi.Output<string>;
}

/** A container app that is released by canary, and its current release. */
export class CanaryApp extends pulumi.ComponentResource {
  /** The app itself, with every output of a ContainerApp. */
  readonly app: ContainerApp;
  /** The app's id. It is known as soon as the app is deployed, before its release has ended. */
  readonly appId: pulumi.Output<string>;
  /** The address at which users reach the app: the one that Azure gives it. */
  readonly url: pulumi.Output<string>;
  /** The released revision, as Azure named it. */
  readonly revision: pulumi.Output<string>;
  /** The result of the release; `in-flight` if the update did not wait for it. */
  readonly result: Release["result"];
  /** Why the release ended so, as a code that programs can compare, such as `worse-than-stable`. */
  readonly reason: pulumi.Output<string>;
  /** The same for people, with the numbers that decided. */
  readonly message: pulumi.Output<string>;
  /** The trace of the run that made the release (`TRACEPARENT`), for `RemediatedAlert`; empty if it had none. */
  readonly trace: pulumi.Output<string>;

  constructor(name: string, given: CanaryAppArgs, opts: CanaryAppOptions = {}) {
    const plain = read(name, given, pathsOf(opts.ignoreChanges));
    const args = withCredentials(name, plain, plain.credentials ?? {});
    const options = splitOptions(name, opts);
    refuseProblems("CanaryApp", name, keptAndIgnored(args.keepLive ?? [], pathsOf(opts.ignoreChanges)));
    void watchTransforms();
    // The app's arguments are in the state of the app below, its secrets marked as such, and not here again.
    const { containerAppName, resourceGroupName, controlPlane } = args;
    super(type, name, { containerAppName, resourceGroupName, controlPlane }, options.component);
    const plan = planOf(name, args);
    this.#warn(name, plan, args.expectedRequestsPerMinute ?? 0);

    const { app, ...named } = this.#deploy(name, args, plan, options.app);
    this.app = app;
    const release = this.#release(name, args, plan, named);

    this.appId = this.app.id;
    // A secret of the app marks its whole configuration.
    this.url = pulumi.unsecret(
      this.app.configuration.apply((configuration) => addressOf(configuration?.ingress?.fqdn)),
    );
    this.revision = release.revision;
    this.result = release.result;
    this.reason = release.reason;
    this.message = release.message;
    this.trace = release.trace;
    const { appId, url, revision, result, reason, message, trace } = this;
    this.registerOutputs({ appId, url, revision, result, reason, message, trace });
  }

  /** Declares the app with the traffic that it has now, and says what names its release. */
  #deploy(name: string, args: CanaryAppArgs, plan: Plan, own: pulumi.CustomResourceOptions): Deployed {
    const { containerAppName, resourceGroupName, controlPlane } = args;
    const { keepLive = [], acceptLoss = [], credentialSlots = [] } = args;
    const note = (line: string): void => void logOn(this, "info", line);
    const given = ofContainerApp(args);
    const { probeSeconds } = plan.strategy;
    const live = this.#read(name, args, given, { note, ignoreChanges: pathsOf(own.ignoreChanges) });
    const asked = askedOf(args, plan);
    const place = pulumi.output([resourceGroupName, containerAppName] as const);
    const guarded = { name, ...controlPlane, resourceGroup: resourceGroupName, app: containerAppName, asked };
    const { hooks, of } = releaseKey(name, credentialSlots.length > 0);
    const app = new ContainerApp(
      child(name, "app"),
      takeOver({ name, probeSeconds, keepLive, credentialSlots, note }, given, live),
      {
        ...own,
        parent: this,
        transformations: [withVersionedTypes, ...(own.transformations ?? [])],
        ignoreChanges: [...(own.ignoreChanges ?? []), ...leftAsIs(args, keepLive)],
        hooks: [
          own.hooks ?? {},
          noRecreation(name, place, live),
          lossGuard(name, { keepLive, acceptLoss }, live, this),
          hooks,
          trafficGuard(guarded, this),
        ].reduce(withHooks),
      },
    );
    const key = of(
      app,
      live.apply(({ found }) => found?.latestRevisionName),
    );
    const serving = live.apply((found) => found.serving);
    return { app, key, serving: ofSameApp(name, { id: app.id, place }, serving) };
  }

  /** Reads the live app, and refuses what would harm it: at preview as far as it is known, and again at the update. */
  #read(
    name: string,
    args: CanaryAppArgs,
    given: ContainerAppArgs,
    { note, ignoreChanges }: Beside,
  ): pulumi.Output<Live> {
    const { containerAppName, resourceGroupName, keepLive = [], acceptLoss = [] } = args;
    const { controlPlane, credentials = {}, credentialSlots = [] } = args;
    const place = pulumi.all([resourceGroupName, containerAppName]);
    return fromKnownParts({ given, place }, (known: { readonly given: Planned; readonly place: unknown }) => {
      if (hasHole(known.place)) note(unread(name));
      for (const line of hidden(name, known.given)) note(line);
      const sources = messageSources(known.given);
      if (sources.length > 0) void say(canaryAppConsumes({ app: name, sources }), this);
      const complaints = probeComplaints(known.given.template);
      if (complaints.length > 0) throw refusal(canaryAppProbes({ app: name, complaints }));
      const [group, called] = known.place as readonly unknown[];
      refuseUnfit({ app: called, resourceGroup: group }, credentials, known.given);
      refuseMisuse(name, { ...known.given, keepLive }, ignoreChanges);
      return place.apply(async ([resourceGroup, app]) => {
        try {
          const [found] = await Promise.all([
            readLive(resourceGroup, app, this),
            untilProviderRuns(this, controlPlane.endpoint),
          ]);
          const traffic = trafficToSend(app, found);
          const serving = found ? servingIn(traffic) : "";
          const revision = revisionInDoubt(credentialSlots, { app, serving }, found);
          const moved = revision && (await movedSecret({ ...controlPlane, resourceGroup, app, revision }, this));
          const slots = liveSlots(credentialSlots, { app, serving, ...(moved && { moved }) }, found);
          if (slots.inDoubt) note(doubtful(name, slots.inDoubt));
          const planned = withSlots(known.given, slots);
          // Mocks have no transforms, and run no hook that would find losses.
          if (found && usesMocks()) refuseAdoption(app, found, planned, { keepLive, acceptLoss });
          else if (found) refuseApp(app, found, planned);
          return { traffic, serving, slots, found, planned: () => planned, kept: keptOf(keepLive, found) };
        } catch (error) {
          throw refusal(error);
        }
      });
    });
  }

  /** Declares the release of the app's latest revision. */
  #release(name: string, args: CanaryAppArgs, plan: Plan, { key, serving }: Omit<Deployed, "app">): Release {
    return new Release(
      child(name, "release"),
      {
        ...args.controlPlane,
        resourceGroup: args.resourceGroupName,
        app: args.containerAppName,
        revision: this.app.latestRevisionName,
        release: key,
        serving,
        wait: args.wait ?? true,
        ...askedOf(args, plan),
      },
      { parent: this, dependsOn: this.app },
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

/**
 * Checks the arguments.
 *
 * @throws canary-app-unnamed, component-arguments-refused
 */
function read(name: string, given: CanaryAppArgs, ignoreChanges: readonly string[]): CanaryAppArgs {
  const isUnnamed = Object.prototype.toString.call(given) === "[object Object]" && given.containerAppName === undefined;
  if (isUnnamed && typeof name === "string") throw refusal(canaryAppUnnamed({ name }));
  const args = readArguments("CanaryApp", name, argumentForms.CanaryApp, given);
  refuseProblems("CanaryApp", name, [
    ...lacks(args, ignoreChanges, isOutput),
    ...misuses(args, isOutput, ignoreChanges),
  ]);
  return args;
}

/**
 * Checks the values that are known. Mocks know nothing of what Azure fills in.
 *
 * @throws component-arguments-refused
 */
function refuseMisuse(name: string, planned: Usable, ignoreChanges: readonly string[]): void {
  if (usesMocks()) return;
  const isHole = (value: unknown): boolean => value === hole;
  refuseProblems("CanaryApp", name, [
    ...lacks(planned, ignoreChanges, isHole),
    ...misuses(planned, isHole, ignoreChanges),
  ]);
}

/** Returns what azure-native takes. */
function ofContainerApp(args: CanaryAppArgs): ContainerAppArgs {
  const { controlPlane, probePath, probe, strategy, thresholds, dryRunThresholds, ...others } = args;
  const { expectedRequestsPerMinute, ...more } = others;
  const { wait, whenInFlight, outsideWeights, gate, keepLive, acceptLoss, credentials, credentialSlots, ...rest } =
    more;
  return rest;
}

/** Returns how the release of any revision is carried out. */
const askedOf = (args: CanaryAppArgs, plan: Plan) => ({
  strategy: plan.strategy,
  thresholds: plan.thresholds,
  ...(plan.dryRun && { dryRunThresholds: plan.dryRun }),
  probePath: args.probePath ?? "/",
  ...(args.probe && { probe: args.probe }),
  whenInFlight: args.whenInFlight ?? "refuse",
  outsideWeights: args.outsideWeights ?? "restore",
  ...(args.gate && { gate: args.gate }),
  ...(args.credentialSlots && { credentialSlots: args.credentialSlots }),
});

/** Mocks give an app no name, unless a test adds one. */
const addressOf = (host: string | undefined): string => (host === undefined ? "" : `https://${host}`);

/** Returns the hooks of both. */
const withHooks = (one: pulumi.ResourceHookBinding, other: pulumi.ResourceHookBinding): pulumi.ResourceHookBinding => {
  const moments = [...new Set([...Object.keys(one), ...Object.keys(other)])] as (keyof pulumi.ResourceHookBinding)[];
  return Object.fromEntries(moments.map((moment) => [moment, [...(one[moment] ?? []), ...(other[moment] ?? [])]]));
};
