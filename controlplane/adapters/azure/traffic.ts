// The traffic of an app as plain values: what its entries mean, and what to write so that the weights become others.
// Pure; it knows the shape of Container Apps' `configuration.ingress.traffic` and nothing of how it travels.
import { createHash } from "node:crypto";
import type { ContainerApp, TrafficWeight } from "@azure/arm-appcontainers";
import type { Result } from "../../../engines/engine.ts";
import { sameName } from "../../../engines/rollout/evolve.ts";
import type { AppView, Labels, Weight } from "../../../engines/rollout/vocabulary.ts";

/** Gives the entries of an app; an ingress without any sends everything to the latest revision that is ready, and so does Single mode, whatever they say. */
export function entriesOf(app: ContainerApp): readonly TrafficWeight[] {
  const entries = app.configuration?.ingress?.traffic ?? [];
  if (modeOf(app) === "Single" && app.configuration?.ingress !== undefined)
    return [{ latestRevision: true, weight: 100 }];
  return entries.length > 0 || app.configuration?.ingress === undefined
    ? entries
    : [{ latestRevision: true, weight: 100 }];
}

/** Gives the revision mode; an app that says none is in Single. */
export const modeOf = (app: ContainerApp): string => app.configuration?.activeRevisionsMode ?? "Single";

/** Gives what of an app decides whether it can be released by canary at all. */
export const fitnessOf = (app: ContainerApp): Required<Pick<AppView, "mode" | "ingress" | "sticky" | "labels">> => {
  const ingress = app.configuration?.ingress;
  return {
    mode: modeOf(app),
    ingress: ingress === undefined ? "none" : ingress.transport?.toLowerCase() === "tcp" ? "tcp" : "http",
    sticky: ingress?.stickySessions?.affinity === "sticky",
    labels: labelsOf(app),
  };
};

/** Names the revisions that have our labels. */
function labelsOf(app: ContainerApp): Labels {
  const holders = (["stable", "canary"] as const).flatMap((label) => {
    const entry = entriesOf(app).find((one) => one.label === label);
    const revision = entry && revisionOf(entry, app);
    return revision === undefined ? [] : [[label, revision] as const];
  });
  return Object.fromEntries(holders);
}

/** Says whether our labels are where they should be and nowhere else. */
export const sameLabels = (app: ContainerApp, wanted: Labels): boolean => {
  const shown = labelsOf(app);
  return (["stable", "canary"] as const).every(
    (label) => (shown[label] ?? "").toLowerCase() === (wanted[label] ?? "").toLowerCase(),
  );
};

/** Gives the revision that an entry means; undefined where nothing is ready to be meant. */
function revisionOf(entry: TrafficWeight, app: ContainerApp): string | undefined {
  if (entry.revisionName) return entry.revisionName;
  if (entry.latestRevision) return app.latestReadyRevisionName || undefined;
  return entriesOf(app).find((other) => other.label === entry.label && other.revisionName)?.revisionName;
}

/** Gives who gets what, by name: labels and `latestRevision` resolved, a revision's entries added up, nobody with nothing. */
export function weightsOf(app: ContainerApp): Result<readonly Weight[]> {
  const percents = new Map<string, number>();
  for (const entry of entriesOf(app)) {
    if (!entry.weight) continue;
    const revision = revisionOf(entry, app);
    if (revision === undefined && !entry.latestRevision)
      return {
        ok: false,
        reason: `a traffic entry of ${entry.weight} percent names no revision${entry.label ? ` (label ${entry.label})` : ""}`,
      };
    if (revision !== undefined) percents.set(revision, (percents.get(revision) ?? 0) + entry.weight);
  }
  return { ok: true, value: [...percents].map(([revision, percent]) => ({ revision, percent })) };
}

/** Writes weights as a person says them. */
export const weightsInWords = (weights: readonly Weight[]): string =>
  weights.length === 0 ? "nobody" : weights.map(({ revision, percent }) => `${revision} ${percent}`).join(", ");

/**
 * Gives the complete list of entries that makes the weights these. Arrays are replaced whole by a merge patch, so what is
 * left out is lost: labels of others stay with the revisions that have them, of which `known` still exist, and ours go where they belong.
 */
export function entriesFor(
  wanted: readonly Weight[],
  ours: Labels,
  app: ContainerApp,
  known: ReadonlySet<string>,
): TrafficWeight[] {
  const labels = [
    ...Object.entries(ours).map(([label, revisionName]) => ({ revisionName, label })),
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
 * Gives the same text for the same template, whatever the revision is called.
 *
 * The client's parsed shape serves, since it knows every field of the version that we ask for, and the defaults that it
 * adds are added to all alike.
 */
export function templateHash(template: unknown): string {
  const { revisionSuffix: _ours, ...rest } = (template ?? {}) as Record<string, unknown>;
  return createHash("sha256").update(canonical(rest)).digest("hex");
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(
          Object.entries(inner)
            .filter(([, one]) => one !== null)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : inner,
  );
