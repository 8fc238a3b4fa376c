// Checks the traffic of an ingress, in every revision mode: weights, names of revisions, and labels. Most codes are
// ours, since Azure's are not public.
import { firstTwice } from "../../arm/bodies.ts";
import type { Body } from "../../arm/resource.ts";
import type { Quirks } from "../../controls/quirks.ts";
import { refuse, refuseLikeAzure } from "./refusals.ts";
import { refuseRevisionName } from "./template.ts";

/** What the traffic may name. */
export interface TrafficScope {
  readonly app: string;
  readonly quirks: Quirks;
  /** Finds a revision by its full name; `"made"` is the one that the same request makes. */
  readonly find: (name: string) => { readonly name: string; readonly active: boolean } | "made" | undefined;
}

/**
 * Refuses weights that do not add up to 100, unknown revisions, and whatever stands on two entries.
 *
 * @throws ArmError 400
 */
export function checkTraffic(entries: readonly Body[] | undefined, scope: TrafficScope): void {
  if (!entries || entries.length === 0) return;
  for (const entry of entries) checkEntry(entry, scope);
  const label = firstTwice(entries.flatMap((entry) => entry["label"] || []));
  if (label) refuse("ContainerAppInvalidTraffic", `The label '${label}' stands on more than one traffic entry.`);
  for (const { label: each } of entries)
    if (each && !/^[a-z](?!.*--)([-a-z0-9]{0,62}[a-z0-9])?$/.test(String(each)))
      refuseLikeAzure(`The label '${each}' is invalid: lower case alphanumeric characters or '-', a letter first.`);
  // Azure merges nothing: an entry is a revision, so a revision on two entries is a mistake of the sender.
  const target = firstTwice(
    entries.map(({ latestRevision, revisionName }) => (latestRevision ? "latestRevision" : revisionName)),
  );
  if (target) refuse("ContainerAppInvalidTraffic", `'${target}' stands on more than one traffic entry.`);
  const sum = entries.reduce((total, entry) => total + Number(entry["weight"] ?? 0), 0);
  if (sum !== 100 && scope.quirks["weights-sum-to-100"])
    refuse("ContainerAppInvalidTrafficWeight", `Traffic weights add up to ${sum}; they must add up to 100.`);
}

function checkEntry({ weight, latestRevision, revisionName }: Body, { app, quirks, find }: TrafficScope): void {
  if (!isWeight(weight ?? 0))
    refuse("ContainerAppInvalidTrafficWeight", `Traffic weight '${weight}' is not a whole number from 0 to 100.`);
  if (latestRevision && revisionName)
    refuse("ContainerAppInvalidTraffic", "A traffic entry names either a revision or latestRevision, not both.");
  if (!latestRevision && !revisionName)
    refuse("ContainerAppInvalidTraffic", "A traffic entry names a revision or latestRevision.");
  if (!revisionName) return;
  const found = find(String(revisionName));
  if (!found && quirks["weights-name-known-revisions"]) refuseUnknown(app, String(revisionName));
  if (found && found !== "made" && !found.active && weight && !quirks["deactivated-may-have-weight"])
    refuse("ContainerAppInvalidTraffic", `Revision '${found.name}' is not active, so it cannot be given traffic.`);
}

function refuseUnknown(app: string, name: string): never {
  if (!name.toLowerCase().startsWith(`${app}--`)) refuseRevisionName(name);
  return refuse("ContainerAppRevisionNotFound", `Revision '${name}' of a traffic entry does not exist.`);
}

const isWeight = (weight: unknown): boolean =>
  typeof weight === "number" && Number.isInteger(weight) && weight >= 0 && weight <= 100;
