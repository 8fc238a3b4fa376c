// Reads an app's live traffic, so that an update can send it back unchanged. The control plane owns the traffic: a
// program that sent weights of its own would move production back to the release for which it was written.

import { type GetContainerAppResult, getContainerApp } from "@pulumi/azure-native/app/getContainerApp.js";
import type * as pulumi from "@pulumi/pulumi";
import { canaryAppTrafficUneven, canaryAppUnreadable } from "../../errors/canary-app.ts";
import { isEchoOfMocks } from "../conventions.ts";

/** One revision's share of the traffic. `latestRevision` stands in only until the revision has a name. */
export interface TrafficEntry {
  readonly weight: number;
  readonly revisionName?: string;
  readonly latestRevision?: true;
  readonly label?: string;
}

/** The parts of the live app that matter here. */
export type LiveApp = Pick<GetContainerAppResult, "latestReadyRevisionName"> & {
  readonly latestRevisionName?: string;
  readonly location?: unknown;
  readonly environmentId?: unknown;
  readonly managedEnvironmentId?: unknown;
  readonly identity?: unknown;
  readonly tags?: unknown;
  readonly workloadProfileName?: unknown;
  readonly kind?: unknown;
  readonly managedBy?: unknown;
  readonly patchingConfiguration?: unknown;
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

/**
 * Reads the live app; undefined if there is none yet.
 *
 * @throws canary-app-unreadable
 */
export async function readLive(
  resourceGroup: string,
  app: string,
  parent: pulumi.Resource,
  patienceSeconds = providerPatienceSeconds,
): Promise<LiveApp | undefined> {
  const reading = getContainerApp({ resourceGroupName: resourceGroup, containerAppName: app }, { parent });
  const read = await inTime(reading, patienceSeconds).catch((error: Error) => absentOrThrow(app, error));
  return read === undefined || isEchoOfMocks(read) ? undefined : (read as LiveApp);
}

/** The azure-native provider retries for 200 seconds, but does not limit a request that is never answered. */
const providerPatienceSeconds = 300;

async function inTime<Value>(reading: Promise<Value>, seconds: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${seconds} seconds`)), seconds * 1000);
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

/**
 * Returns the live traffic as an update must send it: by revision and label, without entries that have neither weight
 * nor label, with a sum of 100.
 *
 * In Single mode the entries mean nothing: the ready revision has all traffic, and keeps it when the update changes the
 * mode.
 *
 * Only an app that does not exist yet, or that never had a ready revision and so has no users, gets `latestRevision`.
 * Sent together with a new template, that would give the new revision all traffic at once.
 *
 * @throws canary-app-traffic-uneven
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

/**
 * Names the revision that has all traffic; empty if several share it, or it has no name yet. One revision may have more
 * than one entry, each with a label of its own.
 */
export function servingIn(traffic: readonly TrafficEntry[]): string {
  const [first = "", ...more] = traffic.flatMap(({ weight, revisionName = "" }) => (weight > 0 ? [revisionName] : []));
  return more.every((name) => name.toLowerCase() === first.toLowerCase()) ? first : "";
}

/** Describes traffic for people. Entries are sorted, so that equal traffic is equal text. */
export const describeTraffic = (traffic: readonly TrafficEntry[]): string =>
  traffic
    .map(
      ({ weight, revisionName, label }) =>
        `${revisionName ?? "the latest revision"}${label ? ` (${label})` : ""} ${weight} %`,
    )
    .sort()
    .join(", ") || "none";

/**
 * Distinguishes an app that does not exist from a read that failed.
 *
 * Azure's error code decides, not the HTTP status: a missing subscription is a 404 too, and an app that we may not see
 * must never be taken for absent.
 *
 * @throws canary-app-unreadable
 */
function absentOrThrow(app: string, error: Error): undefined {
  const { status, code } = refusalIn(error.message);
  const forbidden = status === "403" || code === "AuthorizationFailed";
  if (!forbidden && (code === "ResourceNotFound" || code === "ResourceGroupNotFound")) return undefined;
  const right = forbidden
    ? (/action '([^']+)'/.exec(error.message)?.[1] ?? "Microsoft.App/containerApps/read")
    : undefined;
  throw canaryAppUnreadable({ app, reason: error.message.replace(/\s+/g, " ").trim(), right });
}

/**
 * Reads the status and the code of Azure's refusal from a provider's message, in either form in which it writes them.
 * A message also has names of the user, such as an app `shop-403`, so a number or a word alone means nothing.
 */
const refusalIn = (message: string): { readonly status: string | undefined; readonly code: string | undefined } => ({
  status: /(?:^|\s)(?:Status(?:Code)?\s?[=:]\s?"?|RESPONSE )(\d{3})\b/i.exec(message)?.[1],
  code: /(?:^|\s)(?:Code\s?[=:]|ERROR CODE:)\s?"?(\w+)/i.exec(message)?.[1],
});
