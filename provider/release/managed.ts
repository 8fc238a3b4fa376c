// Whether the control plane manages an app, asked before the app is written: a release of another app is refused, and
// its first revision would serve without one.
import type { ControlPlane } from "../../client/control-plane.ts";
import { callPolicy, type RetryPolicy, restBefore } from "../../engines/retry.ts";
import type { Target } from "../../engines/rollout/vocabulary.ts";
import { BallastError } from "../../errors/catalogue.ts";

/** A control plane that the same update has just changed manages its new targets a little later. */
const refusalSeconds = 30;

/** How attempts rest. */
export type Rest = (milliseconds: number) => Promise<unknown>;

/** Reports whether an error says that the control plane does not manage a target. */
const isUnmanaged = (error: unknown): error is BallastError =>
  error instanceof BallastError && error.id === "target-not-managed";

/** Repeats a call for half a minute while the control plane does not manage its target. */
export async function onceManaged<Answer>(call: () => Promise<Answer>, rest: Rest): Promise<Answer> {
  const policy: RetryPolicy = { ...callPolicy, budgetSeconds: refusalSeconds };
  for (let attempt = 1, rested = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const seconds = restBefore(policy, attempt, rested);
      if (!isUnmanaged(error) || seconds === undefined) throw error;
      await rest(seconds * 1000);
      rested += seconds;
    }
  }
}

/** Asks whether an app is managed. @throws target-not-managed, and what keeps the control plane from answering */
export const refuseUnmanaged = async ({ list }: Pick<ControlPlane, "list">, { resourceGroup, app }: Target) =>
  // An app that was managed once keeps its rollouts in the list, so only those in flight are asked for.
  void (await list({ resourceGroup, app, inFlight: true }));

/** Gives the refusal of an app that is not managed; undefined for one that is, and if nothing answers. */
export const refusalOf = async (plane: Pick<ControlPlane, "list">, target: Target): Promise<BallastError | undefined> =>
  refuseUnmanaged(plane, target).then(
    () => undefined,
    (error: unknown) => (isUnmanaged(error) ? error : undefined),
  );
