// Whom the live traffic of an app goes to, read so that it can be sent back unchanged. Traffic belongs to the control
// plane: a program that sent its own idea of it would move production back to the release it was written for.
// Knows nothing of releases.

import { type GetContainerAppResult, getContainerApp } from "@pulumi/azure-native/app/getContainerApp.js";
import * as pulumi from "@pulumi/pulumi";
import {
  canaryAppScopeChanges,
  canaryAppTrafficUneven,
  canaryAppUnfit,
  canaryAppUnreadable,
} from "../../errors/components.ts";
import { type Configuration, hasAll, scopeChanges } from "./app-scope.ts";

/** So much of the traffic, to one revision by its name; `latestRevision` only until there is a name. */
export interface TrafficEntry {
  readonly weight: number;
  readonly revisionName?: string;
  readonly latestRevision?: true;
  readonly label?: string;
}

/** What of the live app matters here. */
export type LiveApp = Pick<GetContainerAppResult, "latestReadyRevisionName"> & {
  readonly template?: unknown;
  readonly configuration?: {
    readonly activeRevisionsMode?: unknown;
    readonly ingress?: {
      readonly transport?: unknown;
      readonly stickySessions?: { readonly affinity?: unknown };
      readonly traffic?: readonly Partial<Record<keyof TrafficEntry, unknown>>[];
    };
  };
};

/** What an update is about to send, as far as it can be compared at preview: secrets by their names. */
export interface Planned {
  readonly configuration: Configuration;
  readonly template: unknown;
}

/**
 * Reads the live app and gives the traffic that an update must send so that nobody's requests move.
 *
 * `planned` is what is known of the update at its preview; an app that cannot be released by canary, or not together with what changes
 * beyond its revisions, is refused then, before anything is sent.
 */
export async function readTraffic(
  resourceGroup: string,
  app: string,
  parent: pulumi.Resource,
  planned?: Planned,
  patienceSeconds = providerPatienceSeconds,
): Promise<TrafficEntry[]> {
  const reading = getContainerApp({ resourceGroupName: resourceGroup, containerAppName: app }, { parent });
  const live = (await inTime(reading, patienceSeconds).catch((error: Error) => absentOrThrow(app, error))) as
    | LiveApp
    | undefined;
  if (live !== undefined && planned !== undefined) refuseUnfit(app, live, planned);
  return trafficToSend(app, live);
}

/** The provider itself tries again for 200 seconds; it sets no limit to a request that nobody answers. */
const providerPatienceSeconds = 300;

async function inTime<Value>(reading: Promise<Value>, seconds: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${seconds} seconds`)), seconds * 1000);
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

function refuseUnfit(app: string, live: LiveApp, { configuration, template }: Planned): void {
  const why = whyUnfit(live);
  if (why !== undefined) throw canaryAppUnfit({ app, why });
  if (hasAll(live.template, template)) return;
  const changes = scopeChanges(live.configuration, configuration, live.template);
  if (changes.length > 0) throw canaryAppScopeChanges({ app, changes });
}

function whyUnfit({ configuration: { ingress, activeRevisionsMode } = {} }: LiveApp): string | undefined {
  if (!ingress) return "it has no ingress, so there are no requests to share out and none to judge by";
  if (String(ingress.transport ?? "").toLowerCase() === "tcp")
    return "its ingress is TCP, and there are request rows of HTTP only";
  if (ingress.stickySessions?.affinity === "sticky")
    return "it keeps users with the revision that answered them first, so weights would not share them out";
  return String(activeRevisionsMode ?? "").toLowerCase() === "labels"
    ? "it is in Labels revision mode, where traffic goes to labels and not to revisions"
    : undefined;
}

/**
 * Gives the live traffic as an update must repeat it: by name and label, without entries that give nothing and name nothing, sum 100.
 *
 * In Single mode the entries mean nothing: the revision that is ready has everything, and keeps it when the update changes the mode.
 *
 * Only an app that is not there yet (or has no revision that ever became ready, and so no users) says `latestRevision`:
 * said once more with a new template, it would give that template everything at once.
 */
export function trafficToSend(app: string, live: LiveApp | undefined): TrafficEntry[] {
  const ready = live?.latestReadyRevisionName || undefined;
  const isSingle = String(live?.configuration?.activeRevisionsMode ?? "").toLowerCase() === "single";
  const shown = (
    (isSingle ? undefined : live?.configuration?.ingress?.traffic) ?? [{ latestRevision: true, weight: 100 }]
  ).filter(({ weight, label }) => Number(weight) > 0 || label);
  const byRevision = new Map<string, TrafficEntry>();
  for (const { weight, revisionName, label } of shown) {
    const name = (revisionName as string | undefined) || ready;
    const key = `${name} ${label ?? ""}`;
    byRevision.set(key, {
      ...(name ? { revisionName: name } : { latestRevision: true }),
      weight: (byRevision.get(key)?.weight ?? 0) + Number(weight ?? 0),
      ...(label ? { label: String(label) } : {}),
    });
  }
  const traffic = [...byRevision.values()];
  const sum = traffic.reduce((total, { weight }) => total + weight, 0);
  if (sum !== 100) throw canaryAppTrafficUneven({ app, sum, traffic: describeTraffic(traffic) });
  return traffic;
}

/** Writes traffic as people read it, in an order of its own, so that equal traffic is equal text. */
export const describeTraffic = (traffic: readonly TrafficEntry[]): string =>
  traffic
    .map(
      ({ weight, revisionName, label }) =>
        `${revisionName ?? "the latest revision"}${label ? ` (${label})` : ""} ${weight} %`,
    )
    .sort()
    .join(", ") || "none";

/**
 * Tells an app that is not there from an answer that does not say.
 *
 * Azure's codes decide, not the status: a subscription that is not found is a 404 too, and an app that is merely hidden
 * from us must never be taken for absent.
 */
function absentOrThrow(app: string, error: Error): undefined {
  if (/\b(?:ResourceNotFound|ResourceGroupNotFound)\b/.test(error.message) && !/\b403\b/.test(error.message))
    return undefined;
  const forbidden = /\b403\b|AuthorizationFailed/.test(error.message);
  const right = forbidden
    ? (/action '([^']+)'/.exec(error.message)?.[1] ?? "Microsoft.App/containerApps/read")
    : undefined;
  throw canaryAppUnreadable({ app, reason: error.message.replace(/\s+/g, " ").trim(), right });
}
