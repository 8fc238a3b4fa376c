// The traffic of an app as plain values: what the entries of `configuration.ingress.traffic` mean, and which entries to
// write for new weights. Pure functions.
import { createHash } from "node:crypto";
import type { ContainerApp, TrafficWeight } from "@azure/arm-appcontainers";
import { canonical } from "../../../engines/canonical.ts";
import type { Result } from "../../../engines/engine.ts";
import type { CredentialSlots } from "../../../engines/rollout/intent.ts";
import type { AppView, Labels, Weight } from "../../../engines/rollout/vocabulary.ts";
import { sameName } from "../../../engines/rollout/weights.ts";

/**
 * Gives the traffic entries of an app. Without entries an ingress sends everything to the latest ready revision; in
 * Single mode it does so whatever the entries say.
 */
export function entriesOf(app: ContainerApp): readonly TrafficWeight[] {
  const entries = app.configuration?.ingress?.traffic ?? [];
  if (modeOf(app) === "Single" && app.configuration?.ingress !== undefined)
    return [{ latestRevision: true, weight: 100 }];
  return entries.length > 0 || app.configuration?.ingress === undefined
    ? entries
    : [{ latestRevision: true, weight: 100 }];
}

/** Gives the revision mode, which is Single if the app sets none. */
export const modeOf = (app: ContainerApp): string => app.configuration?.activeRevisionsMode ?? "Single";

/** Gives the properties of an app that decide whether it can be released by canary. */
export const fitnessOf = (app: ContainerApp): Required<Pick<AppView, "mode" | "ingress" | "sticky" | "labels">> => {
  const ingress = app.configuration?.ingress;
  return {
    mode: modeOf(app),
    ingress: ingressKind(ingress?.transport, ingress !== undefined),
    sticky: ingress?.stickySessions?.affinity === "sticky",
    labels: labelsOf(app),
  };
};

function ingressKind(transport: string | undefined, exists: boolean): Required<AppView>["ingress"] {
  if (!exists) return "none";
  return transport?.toLowerCase() === "tcp" ? "tcp" : "http";
}

/** Gives the revisions that have our labels. */
function labelsOf(app: ContainerApp): Labels {
  const holders = (["stable", "canary"] as const).flatMap((label) => {
    const entry = entriesOf(app).find((one) => one.label === label);
    const revision = entry && revisionOf(entry, app);
    return revision === undefined ? [] : [[label, revision] as const];
  });
  return Object.fromEntries(holders);
}

/** Reports whether our labels are exactly where they should be. */
export const sameLabels = (app: ContainerApp, wanted: Labels): boolean => {
  const shown = labelsOf(app);
  return (["stable", "canary"] as const).every(
    (label) => (shown[label] ?? "").toLowerCase() === (wanted[label] ?? "").toLowerCase(),
  );
};

/** Gives the revision that an entry means; undefined if no revision is ready. */
function revisionOf(entry: TrafficWeight, app: ContainerApp): string | undefined {
  if (entry.revisionName) return entry.revisionName;
  if (entry.latestRevision) return app.latestReadyRevisionName || undefined;
  return entriesOf(app).find((other) => other.label === entry.label && other.revisionName)?.revisionName;
}

/**
 * Gives the weights by revision name: labels and `latestRevision` resolved, entries of a revision added up,
 * zeros left out.
 */
export function weightsOf(app: ContainerApp): Result<readonly Weight[]> {
  const percents = new Map<string, number>();
  for (const entry of entriesOf(app)) {
    if (!entry.weight) continue;
    const revision = revisionOf(entry, app);
    const label = entry.label ? ` (label ${entry.label})` : "";
    if (revision === undefined && !entry.latestRevision)
      return {
        ok: false,
        reason: `a traffic entry of ${entry.weight} percent names no revision${label}`,
      };
    if (revision !== undefined) percents.set(revision, (percents.get(revision) ?? 0) + entry.weight);
  }
  return { ok: true, value: [...percents].map(([revision, percent]) => ({ revision, percent })) };
}

/** Gives the revision with the most traffic. */
export function servingIn(app: ContainerApp): Result<string> {
  const weights = weightsOf(app);
  if (!weights.ok) return weights;
  const [most] = weights.value.toSorted((one, other) => other.percent - one.percent);
  return most === undefined
    ? { ok: false, reason: "no revision of the app has traffic" }
    : { ok: true, value: most.revision };
}

/** Describes weights for people. */
export const describeWeights = (weights: readonly Weight[]): string =>
  weights.length === 0 ? "no revision" : weights.map(({ revision, percent }) => `${revision} ${percent}`).join(", ");

/**
 * Gives the complete list of entries for the wanted weights and our labels.
 *
 * A merge patch replaces the whole list, so an entry that is left out is lost. Labels of others therefore stay with
 * their revisions, if these still exist.
 *
 * @param known The existing revisions, in lower case.
 */
export function entriesFor(
  wanted: readonly Weight[],
  ours: Labels,
  app: ContainerApp,
  known: ReadonlySet<string>,
): TrafficWeight[] {
  const labels = [
    ...Object.entries({ ...ours }).map(([label, revisionName]) => ({ revisionName, label })),
    ...entriesOf(app).flatMap((entry) => {
      const revisionName = revisionOf(entry, app);
      return entry.label && !["stable", "canary"].includes(entry.label) && revisionName !== undefined
        ? [{ revisionName, label: entry.label }]
        : [];
    }),
  ].filter(({ revisionName }) => known.has(revisionName.toLowerCase()));
  const weighted = wanted
    .filter(({ percent }) => percent > 0)
    .map(({ revision, percent }): TrafficWeight => {
      const label = labels.find(({ revisionName }) => sameName(revisionName, revision))?.label;
      return { revisionName: revision, weight: percent, ...(label === undefined ? {} : { label }) };
    });
  const used = new Set(weighted.map(({ label }) => label));
  return [
    ...weighted,
    ...labels.filter(({ label }) => !used.has(label)).map((entry): TrafficWeight => ({ ...entry, weight: 0 })),
  ];
}

/**
 * Gives the same hash for the same template, whatever the revision's suffix is, and whichever secret of a credential it
 * names: a rotation moves from one to the other, and that is no other release.
 *
 * It hashes the template as the Azure client parsed it, which has every field of our API version. Defaults that the
 * client adds are the same for all templates; a field that is null counts as absent. Azure ignores the letter case of
 * the ids of identities and services.
 */
export function templateHash(template: unknown, slots: CredentialSlots = []): string {
  const { revisionSuffix: _ours, ...rest } = (template ?? {}) as Record<string, unknown>;
  const pairs = new Map(slots.flatMap((slot) => slot.map((secret) => [secret, slot.toSorted().join(" or ")])));
  const same: unknown = JSON.parse(JSON.stringify(rest), (key, value: unknown) => {
    if (typeof value !== "string") return value ?? undefined;
    if (key === "secretRef") return pairs.get(value.toLowerCase()) ?? value;
    return (key === "identity" || key === "serviceId") && value.startsWith("/") ? value.toLowerCase() : value;
  });
  return createHash("sha256").update(canonical(same)).digest("hex");
}
