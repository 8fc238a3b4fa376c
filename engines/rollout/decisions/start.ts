// The app as inspected → how the rollout starts: who is stable, whether the canary must be activated, or why there is
// nothing to release.
import type { AppView, RevisionView, RolloutDecision, RolloutState } from "../vocabulary.ts";
import { sameName, sameWeights } from "../weights.ts";
import { abort } from "./end.ts";

/** Starts the rollout with what the inspection found, or ends it before any traffic. */
export function start(state: RolloutState, view: AppView): RolloutDecision {
  const { revision: name } = state.intent!;
  if (state.ending !== undefined) return { kind: "Started", stable: stableIn(view, state), activate: false };
  const unfit = whyUnfit(view);
  if (unfit !== undefined) return abort("app-unfit", unfit);
  const canary = view.revisions.find((revision) => sameName(revision.name, name));
  if (canary === undefined) return abort("revision-missing", "the revision does not exist");
  const stable = stableIn(view, state);
  const started = { kind: "Started", stable, activate: !canary.active, ...opensFor(view, canary, state) } as const;
  if (stable === null) return started;
  const serving = view.revisions.find((revision) => sameName(revision.name, stable));
  if (serving === undefined) return abort("stable-missing", "the revision that served before no longer exists");
  const untouched = sameWeights(view.weights, [{ revision: stable, percent: 100 }]);
  // A template's key leaves out which secret of a credential it names. That is all by which a rotation's revision
  // differs, and may be all by which the one differs to which a remediation returns.
  const { purpose, returns } = state.intent!;
  if (serving.templateHash === canary.templateHash && purpose === undefined && returns === undefined)
    return {
      kind: "FoundUnchanged",
      stable,
      untouched,
      message: "its template is the same as stable's, so stable keeps serving",
    };
  return started;
}

/** Names the rotation that retires a secret of the canary. One that asked for this rollout sees to it itself. */
function opensFor(
  { retired = [] }: AppView,
  { secrets = [] }: RevisionView,
  { intent }: RolloutState,
): { readonly opens?: string } {
  if (intent?.purpose !== undefined) return {};
  const named = retired.find(({ secret }) => secrets.some((one) => sameName(one, secret)));
  return named === undefined ? {} : { opens: named.rotation };
}

/** Gives the reason why an app cannot be released by canary; undefined if it can, or if the platform does not say. */
export function whyUnfit({ mode = "Multiple", ingress = "http", sticky = false }: AppView): string | undefined {
  if (ingress === "none") return "the app has no ingress, so there are no requests to split or to judge";
  if (ingress === "tcp") return "the app's ingress is TCP, and only HTTP requests are logged";
  if (mode !== "Multiple") return `the app is in ${mode} revision mode; weights take effect only in Multiple mode`;
  return sticky
    ? "the app has sticky sessions: users stay with the revision that answered them first, whatever the weights"
    : undefined;
}

/**
 * Finds the revision that serves beside the canary; null only if no other could serve.
 *
 * It is the one with most of the traffic; else the one that an earlier attempt knew; else any healthy one, since a
 * canary that was given everything by hand is still unproven. A revision labelled `canary` was never proven either: its
 * own rollout could not take its traffic away, so the one labelled `stable` is preferred.
 */
function stableIn({ weights, revisions, labels = {} }: AppView, state: RolloutState): string | null {
  const { revision: name } = state.intent!;
  const labelled = revisions.find(
    (revision) =>
      labels.stable !== undefined && sameName(revision.name, labels.stable) && !sameName(revision.name, name),
  )?.name;
  const isUnproven = (revision: string): boolean =>
    labelled !== undefined && labels.canary !== undefined && sameName(revision, labels.canary);
  const others = weights.filter(
    ({ revision, percent }) => !sameName(revision, name) && percent > 0 && !isUnproven(revision),
  );
  if (others.length === 0 && labelled !== undefined && weights.some(({ revision }) => isUnproven(revision)))
    return labelled;
  if (others.length > 0) return others.reduce((most, next) => (next.percent > most.percent ? next : most)).revision;
  return (
    state.stable ??
    revisions.find((revision) => !sameName(revision.name, name) && revision.active && revision.health === "Healthy")
      ?.name ??
    null
  );
}
