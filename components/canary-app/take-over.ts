// What a CanaryApp sends of a program's arguments: all of them as they are, except for the few fields that releases
// move. A program that sets one of these to what the component sets anyway may keep the line.
import type { ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { whyUnfit } from "../../engines/rollout/decisions/start.ts";
import {
  canaryAppNoReplica,
  canaryAppOwnedField,
  canaryAppSlotInDoubt,
  canaryAppUnfit,
} from "../../errors/canary-app.ts";
import { isOutput } from "../arguments.ts";
import { refusal } from "../conventions.ts";
import type { Planned } from "./adopt.ts";
import {
  type CredentialSlot,
  type LiveSlots,
  mapSecrets,
  placed,
  type SentSlots,
  slotOf,
  slotsToSend,
} from "./credential-slots.ts";
import { fromKnownParts, mapInput } from "./known-parts.ts";
import { type Kept, type KeptSetting, placeOf, sentOf } from "./losses.ts";
import type { LiveApp, TrafficEntry } from "./traffic.ts";

/** The fields of an object, each of which may be an output. */
type Inputs = Readonly<Record<string, pulumi.Input<unknown>>>;

/** What an update sends back of the live app. */
export interface Live {
  readonly traffic: readonly TrafficEntry[];
  readonly kept: Kept;
  readonly slots: LiveSlots;
  /** The live app itself; undefined if there is none yet. */
  readonly found: LiveApp | undefined;
  /**
   * Gives what the program says of the app, with the slots that are in use. A hole stands for what is not known. It
   * is a function because an output copies objects, and a copy of a hole is none.
   */
  readonly planned: () => Planned;
  /** The revision that has all traffic; empty if several share it, or there is no app yet. */
  readonly serving: string;
}

/** Whose arguments they are, and how often a rollout probes the app. */
export interface TakenOver {
  readonly name: string;
  readonly probeSeconds: number;
  readonly keepLive: readonly KeptSetting[];
  readonly credentialSlots: readonly CredentialSlot[];
  /** Called with what a program may keep, though it has no effect. */
  readonly note: (line: string) => void;
}

/**
 * Returns the arguments of the ContainerApp below a CanaryApp: the program's, with the live traffic.
 *
 * Secrets are marked as such, also if the program gives their values as plain texts.
 *
 * @throws canary-app-owned-field, canary-app-unfit, canary-app-no-replica; of an output, when its value is known
 */
export function takeOver(
  of: TakenOver,
  { configuration, template, ...rest }: ContainerAppArgs,
  live: pulumi.Output<Live>,
): ContainerAppArgs {
  const traffic = live.apply((found) => found.traffic);
  const own: Inputs = {
    ...rest,
    configuration: mapInput(configuration as pulumi.Input<Inputs | undefined>, (given) =>
      configurationOf(of, given ?? {}, traffic, live),
    ),
    template: mapInput(template as pulumi.Input<Inputs | undefined>, (given) =>
      slotted(of, templateOf(of, given ?? {}), live),
    ),
  };
  return of.keepLive.reduce<Inputs>((args, setting) => {
    const keep = (said: unknown): unknown =>
      pulumi.all([said, live.apply(({ kept }) => kept)]).apply(([given, kept]) => sentOf(setting, given, kept));
    return changedAt(args, placeOf(setting), keep) as Inputs;
  }, own) as unknown as ContainerAppArgs;
}

/** Changes the value at a path of inputs. */
function changedAt(input: unknown, [step, ...rest]: readonly string[], change: (said: unknown) => unknown): unknown {
  if (step === undefined) return change(input);
  return mapInput(input as pulumi.Input<Inputs | undefined>, (given = {}) => ({
    ...given,
    [step]: changedAt(given[step], rest, change),
  }));
}

function configurationOf(
  of: TakenOver,
  given: Inputs,
  traffic: pulumi.Input<unknown>,
  live: pulumi.Output<Live>,
): Inputs {
  const { activeRevisionsMode: mode, ingress, secrets, ...rest } = given;
  return {
    ...rest,
    activeRevisionsMode: mapInput(mode, (found) => modeOf(of, found)),
    ingress: mapInput(ingress as pulumi.Input<Inputs | undefined>, (found) => ingressOf(of, found, traffic)),
    ...(secrets !== undefined && { secrets: mapInput(secrets, (found) => secretsOf(of, found, live)) }),
  };
}

function modeOf({ name, note }: TakenOver, given: unknown): string {
  const mode = String(given ?? "Multiple").toLowerCase();
  if (mode !== "multiple" && mode !== "single") throw owned(name, `configuration.activeRevisionsMode: "${given}"`);
  if (mode === "single") note(unneeded(name, 'configuration.activeRevisionsMode: "Single"'));
  return "Multiple";
}

function ingressOf(of: TakenOver, given: Inputs | undefined, traffic: pulumi.Input<unknown>): Inputs {
  if (given === undefined || given === null) throw unfit(of.name, whyUnfit({ ...anyApp, ingress: "none" }));
  const { traffic: own, transport, stickySessions, ...rest } = given;
  const sent = mapInput(own, (found) => {
    trafficOf(of, found);
    return traffic;
  });
  return {
    ...rest,
    ...(transport !== undefined && { transport: mapInput(transport, (found) => transportOf(of.name, found)) }),
    ...(stickySessions !== undefined && {
      stickySessions: mapInput(stickySessions as pulumi.Input<Inputs>, (found) => sessionsOf(of.name, found)),
    }),
    traffic: sent,
  };
}

const anyApp = { weights: [], revisions: [] };

function transportOf(name: string, transport: unknown): unknown {
  if (String(transport).toLowerCase() === "tcp") throw unfit(name, whyUnfit({ ...anyApp, ingress: "tcp" }));
  return transport;
}

function sessionsOf(name: string, sessions: Inputs): Inputs {
  const { affinity, ...rest } = sessions ?? {};
  const checked = mapInput(affinity, (found) => {
    if (String(found).toLowerCase() === "sticky") throw unfit(name, whyUnfit({ ...anyApp, sticky: true }));
    return found;
  });
  return { ...rest, affinity: checked };
}

/** A program may say that the latest revision has all traffic: a release ends so. */
function trafficOf({ name, note }: TakenOver, given: unknown): void {
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) return;
  const [first, ...more] = (Array.isArray(given) ? given : [given]) as readonly Inputs[];
  const isLatest =
    more.length === 0 && first?.["latestRevision"] === true && (first["weight"] ?? 100) === 100 && !first["label"];
  if (!isLatest || first?.["revisionName"]) throw owned(name, "configuration.ingress.traffic");
  note(unneeded(name, "configuration.ingress.traffic"));
}

/** The values are secrets, whatever the program says. An output may hold the whole list. */
function secretsOf({ credentialSlots }: TakenOver, given: unknown, live: pulumi.Output<Live>): unknown {
  if (!Array.isArray(given)) return given;
  const inSlots = new Set(credentialSlots.flat());
  return given.map((each) =>
    mapInput(each as pulumi.Input<Inputs>, (found) => {
      const isPlaced = typeof found?.["name"] === "string" && inSlots.has(found["name"]);
      if (isPlaced) return pulumi.all([live, found]).apply(([{ slots }, secret]) => placed(slots, secret));
      return found?.["value"] === undefined ? found : { ...found, value: pulumi.secret(found["value"]) };
    }),
  );
}

/** Names the slots that are in use, and the suffix of a rotation's revision that the update leaves as it is. */
function slotted(
  { name, credentialSlots }: TakenOver,
  template: Inputs,
  live: pulumi.Output<Live>,
): pulumi.Input<unknown> {
  if (credentialSlots.length === 0) return template;
  const inSlots = new Set<unknown>(credentialSlots.flat());
  const sent = fromKnownParts({ template }, (known: { readonly template: unknown }) =>
    live.apply(({ slots }): SentSlots => {
      const each = slotsToSend(slots, known.template);
      // A preview says so and goes on. What makes no revision sends what the latest one names.
      if (slots.inDoubt && each.revisionSuffix === undefined && !pulumi.runtime.isDryRun())
        throw refusal(canaryAppSlotInDoubt({ name, ...slots.inDoubt }));
      return each;
    }),
  );
  const revisionSuffix = sent.apply((each) => each.revisionSuffix);
  return mapInput(
    mapSecrets(template, (secret) => (inSlots.has(secret) ? sent.apply(({ named }) => slotOf(named, secret)) : secret)),
    (given) => ({ ...(given as Inputs), revisionSuffix }),
  );
}

function templateOf(of: TakenOver, { revisionSuffix, scale, ...rest }: Inputs): Inputs {
  const suffix = mapInput(revisionSuffix, (found) => {
    if (found) throw owned(of.name, "template.revisionSuffix");
    return undefined;
  });
  const checked = mapInput(scale as pulumi.Input<Inputs | undefined>, (found) => scaleOf(of, found));
  return {
    ...rest,
    ...(pulumi.Output.isInstance(suffix) && { revisionSuffix: suffix }),
    ...(checked !== undefined && { scale: checked }),
  };
}

/** The time without a request after which Azure removes the last replica, unless the scale rule sets another. */
const coolDownSeconds = 300;

/** Azure scales to zero unless the program says otherwise. A canary that is asleep would be judged on its starts. */
function scaleOf(of: TakenOver, given: Inputs | undefined): Inputs | undefined {
  const { minReplicas, maxReplicas, cooldownPeriod } = given ?? {};
  const limits = { minReplicas, maxReplicas, cooldownPeriod };
  const [later] = Object.entries(limits).filter(([, each]) => isOutput(each));
  if (later === undefined) {
    refuseAsleep(of, limits as Limits);
    return given;
  }
  const [field] = later as [keyof Limits, unknown];
  const checked = pulumi.output(limits as Limits).apply((known) => {
    refuseAsleep(of, known);
    return known[field];
  });
  return { ...given, [field]: checked };
}

/** The scale of an app as far as it decides whether a replica runs. */
interface Limits {
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
  readonly cooldownPeriod?: number;
}

function refuseAsleep({ name, probeSeconds }: TakenOver, limits: Limits): void {
  const least = limits.minReplicas ?? 0;
  const most = limits.maxReplicas ?? 10;
  const rest = limits.cooldownPeriod ?? coolDownSeconds;
  const staysAwake = least >= 1 || (least === 0 && probeSeconds <= rest / 2);
  if (!(staysAwake && most >= Math.max(1, least)))
    throw refusal(
      canaryAppNoReplica({ app: name, minReplicas: least, maxReplicas: most, probeSeconds, coolDownSeconds: rest }),
    );
}

const unneeded = (name: string, line: string): string =>
  `"${name}" sets ${line}, which has no effect: its releases move the traffic between revisions.`;
const unfit = (app: string, why: string | undefined): unknown => refusal(canaryAppUnfit({ app, why: why ?? "" }));
const owned = (name: string, line: string): unknown => refusal(canaryAppOwnedField({ name, lines: [line] }));
