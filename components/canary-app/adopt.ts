// What an update would do to the live app, beside a new revision. Whatever a rollback could not undo, or users would
// miss, is refused before the first write: at preview, and again at the update with every value known. It is pure.
import { whyUnfit } from "../../engines/rollout/decisions/start.ts";
import {
  canaryAppLosses,
  canaryAppMoved,
  canaryAppOwnedField,
  canaryAppScopeChanges,
  canaryAppUnfit,
} from "../../errors/canary-app.ts";
import { type Configuration, hasAll, scopeChanges, secretsMoved } from "./app-scope.ts";
import { type LiveSlots, mapSecrets, placed, slotOf, slotsToSend } from "./credential-slots.ts";
import { hole } from "./known-parts.ts";
import {
  type AppShape,
  type KeptSetting,
  keptSettings,
  type Loss,
  type LostSetting,
  lossesOf,
  withKept,
} from "./losses.ts";
import type { LiveApp } from "./traffic.ts";

/** What an update will send, as far as it is known. */
export interface Planned extends AppShape {
  readonly location?: unknown;
  readonly environmentId?: unknown;
  readonly managedEnvironmentId?: unknown;
}

/** Gives arguments as they are sent: with the slots that are in use, where the live app has them. */
export function withSlots(planned: Planned, slots: LiveSlots): Planned {
  const { configuration } = planned;
  const { named } = slotsToSend(slots, planned.template);
  const template = mapSecrets(planned.template, (secret) => slotOf(named, secret));
  const { secrets } = (configuration ?? {}) as { readonly secrets?: unknown };
  if (configuration === hole || !Array.isArray(secrets)) return { ...planned, template };
  return {
    ...planned,
    configuration: { ...(configuration as object), secrets: secrets.map((secret) => placed(slots, secret)) },
    template,
  };
}

/** What a program says of the settings that it does not set. */
export interface Unsaid {
  readonly keepLive: readonly KeptSetting[];
  readonly acceptLoss: readonly LostSetting[];
}

/**
 * Refuses an update of the live app.
 *
 * @throws canary-app-unfit, canary-app-owned-field, canary-app-moved, canary-app-losses, canary-app-scope-changes
 */
export function refuseAdoption(app: string, live: LiveApp, planned: Planned, unsaid: Unsaid): void {
  refuseApp(app, live, planned);
  refuseLosses(app, live, planned, unsaid);
}

/**
 * Refuses an app that cannot be released, or that the program would move.
 *
 * @throws canary-app-unfit, canary-app-owned-field, canary-app-moved
 */
export function refuseApp(app: string, live: LiveApp, planned: Planned): void {
  const why = whyNot(live);
  if (why !== undefined) throw canaryAppUnfit({ app, why });
  const lines = linesMeantOtherwise(live, planned);
  if (lines.length > 0) throw canaryAppOwnedField({ name: app, lines });
  const moves = movesOf(live, planned);
  if (moves.length > 0) throw canaryAppMoved({ app, moves });
}

/**
 * Refuses to take a setting away, and to change what all revisions share together with the template.
 *
 * @param planned What the update sends: after the transforms of the stack, which may add settings, if there are any.
 * @throws canary-app-losses, canary-app-scope-changes
 */
export function refuseLosses(app: string, live: LiveApp, planned: Planned, unsaid: Unsaid): void {
  const losses = lossesBy(live, planned, unsaid);
  if (losses.length > 0) {
    const lost = losses.map(({ setting }) => setting);
    const keepable = lost.filter((setting) => (keptSettings as readonly string[]).includes(setting));
    throw canaryAppLosses({ app, losses: losses.flatMap((loss) => loss.lost), lost, keepable });
  }
  const sent = withKept(planned, live, unsaid.keepLive);
  if (hasAll(live.template, sent.template)) return;
  const { configuration } = sent as { readonly configuration?: Configuration };
  const changes = [
    ...scopeChanges(live.configuration, configuration, live.template),
    ...secretsMoved(live.configuration, configuration),
  ];
  if (changes.length > 0) throw canaryAppScopeChanges({ app, changes });
}

/** Lists the losses that the program neither prevents nor accepts. */
export const lossesBy = (live: LiveApp, planned: Planned, { keepLive, acceptLoss }: Unsaid): readonly Loss[] =>
  lossesOf(live, withKept(planned, live, keepLive)).filter(({ setting }) => !acceptLoss.includes(setting));

/** Asks the engine whether an app can be released by canary, so that preview and control plane agree. */
function whyNot({ configuration: { ingress, activeRevisionsMode } = {} }: LiveApp): string | undefined {
  const transport = String(ingress?.transport ?? "").toLowerCase() === "tcp" ? "tcp" : "http";
  return whyUnfit({
    weights: [],
    revisions: [],
    ingress: ingress ? transport : "none",
    sticky: ingress?.stickySessions?.affinity === "sticky",
    // An update changes Single mode to Multiple; only Labels mode cannot be released.
    mode: String(activeRevisionsMode ?? "").toLowerCase() === "labels" ? "Labels" : "Multiple",
  });
}

/**
 * Lists the lines by which a program gives all traffic to the latest revision, while another client splits it between
 * several. On an app of one revision they mean what a CanaryApp does, and may stay; so they may once releases move the
 * traffic, which their labels show.
 */
function linesMeantOtherwise({ configuration = {} }: LiveApp, planned: Planned): readonly string[] {
  const traffic = configuration.ingress?.traffic ?? [];
  const isOurs = traffic.some(({ label }) => label === "stable" || label === "canary");
  const isSingle = String(configuration.activeRevisionsMode ?? "").toLowerCase() === "single";
  const isSplit = traffic.filter(({ weight }) => Number(weight) > 0).length > 1;
  if (isOurs || isSingle || !isSplit) return [];
  const { activeRevisionsMode: mode, ingress } = (planned.configuration ?? {}) as Partial<Record<string, unknown>>;
  const { traffic: said } = (ingress ?? {}) as { readonly traffic?: unknown };
  return [
    ...(String(mode ?? "").toLowerCase() === "single" ? ['configuration.activeRevisionsMode: "Single"'] : []),
    ...(Array.isArray(said) && said.length > 0 ? ["configuration.ingress.traffic"] : []),
  ];
}

/** Azure spells a region with spaces or without, and an id in any letter case. */
const plain = (value: unknown): string => String(value).toLowerCase().replaceAll(" ", "");

/** Lists what Azure cannot change of an app that exists, so that Pulumi would delete it and create another one. */
function movesOf(live: LiveApp, planned: Planned): readonly string[] {
  const pairs = [
    ["location", live.location, planned.location],
    [
      "environment",
      live.managedEnvironmentId || live.environmentId,
      planned.managedEnvironmentId ?? planned.environmentId,
    ],
  ] as const;
  return pairs
    .filter(
      ([, was, will]) => was && will !== undefined && will !== null && will !== hole && plain(was) !== plain(will),
    )
    .map(([what, was, will]) => `its ${what} is ${was}, and the program says ${String(will)}`);
}
