// How a rollout asks a rotation for the role that the rotation retires. A revision from before the cut-over logs in
// with that role: a release that is tried again may start one, and so may a remediation that returns to one.
import { found, keptFold } from "../../engines/engine.ts";
import { slotSecret } from "../../engines/rotation/declaration.ts";
import { rotationKind } from "../../engines/rotation/kind.ts";
import { admissionOf } from "../../engines/rotation/old-role.ts";
import { rotation } from "../../engines/rotation/rotation.ts";
import type { RotationEvent, RotationState } from "../../engines/rotation/vocabulary.ts";
import { type AppTarget, appKey } from "../../engines/targets.ts";
import type { Streams } from "../runtime/performer.ts";
import type { Fact, Journal } from "../runtime/ports.ts";
import type { OldRoles } from "./rollout-ports.ts";

/** A rotation in flight, and the secret of an app that it retires. */
interface Retiring {
  readonly rotation: string;
  readonly state: RotationState;
  readonly secret: string;
}

/** Finds the rotations in flight that retire a secret of an app. */
export async function retiredIn(
  journal: Pick<Journal, "read" | "streams">,
  target: AppTarget,
): Promise<readonly Retiring[]> {
  const streams = await journal.streams({ kind: rotationKind.kind, unfinished: true });
  const all = await Promise.all(streams.map(async (stream) => ({ stream, state: await stateOf(journal, stream) })));
  return all.flatMap(({ stream, state }) => {
    const { declaration, live, old } = state;
    const isOurs = declaration?.consumers.some((consumer) => appKey(consumer) === appKey(target)) ?? false;
    return isOurs && old.version !== ""
      ? [{ rotation: stream, state, secret: slotSecret(declaration!.credential, live) }]
      : [];
  });
}

const stateOf = async (journal: Pick<Journal, "read">, stream: string): Promise<RotationState> =>
  keptFold(rotation)((await journal.read(stream)) as readonly Fact<RotationEvent>[]);

/** Opens the port. */
export const openOldRoles = (
  journal: Pick<Journal, "read" | "streams">,
  streams: Pick<Streams, "signal">,
): OldRoles => ({
  retiredIn: async (target) =>
    (await retiredIn(journal, target)).map(({ rotation: stream, secret }) => ({ secret, rotation: stream })),
  open: async (stream, rollout, at, fence) => {
    const { standing, asks, message } = admissionOf(await stateOf(journal, stream), rollout);
    if (!asks) return found({ standing, message });
    if (!(await fence()))
      return { ok: false, reason: "another process now owns the rollout, so nothing was asked for" };
    const sent = await streams.signal(stream, {
      kind: "Signal",
      at,
      signal: "open",
      by: "the control plane",
      message: `the release of ${rollout.split("/").at(-1)} logs in with it`,
      about: rollout,
    });
    return sent.ok ? found({ standing, message }) : sent;
  },
});
