// The runbook that rotates a credential, such as one whose password has expired. It makes no password itself: it asks a
// rotation, which has gates of its own, and stops with both slots valid if it must. Its cut-overs are not judged beside
// a stable that fails; the remediation verifies instead. The symptom is over once every consumer is cut over and the
// version is published; what follows for the old role takes hours.
import { fold, found, type Result } from "../../engines/engine.ts";
import { streamOf } from "../../engines/rotation/intent.ts";
import { closedAt } from "../../engines/rotation/opening.ts";
import { rotation } from "../../engines/rotation/rotation.ts";
import type { Credential, RotationEvent, RotationIntent } from "../../engines/rotation/vocabulary.ts";
import type { Streams } from "../runtime/performer.ts";
import type { Clock, Journal, Time } from "../runtime/ports.ts";
import { credentialOf, type Declared } from "./incident-database.ts";
import type { RunbookPort } from "./remediation-ports.ts";

/** What the runbook needs. */
export interface RotateWorld {
  readonly declared: Declared;
  readonly journal: Pick<Journal, "read">;
  readonly streams: Streams;
  readonly clock: Pick<Clock, "now">;
  readonly time: Pick<Time, "nap">;
}

const requestedBy = "the control plane";
const lookMilliseconds = 5_000;

/** Makes the runbook. */
export const rotateCredential = (world: RotateWorld): RunbookPort => ({
  plan: async (target, { credential = "" }) => {
    const wanted = await rotatable(world, credential, target);
    return found(
      wanted.ok
        ? {
            fits: true,
            message: `${credential} may be rotated now`,
            plan: `rotate ${credential}, and cut over ${wanted.value.consumers.map(({ app }) => app).join(", ")}`,
          }
        : { fits: false, message: wanted.reason, plan: "" },
    );
  },
  act: async ({ target, rung: { credential: named = "" }, since, incident }, fence) => {
    const [vault = "", credential = ""] = named.split("/");
    // Its name follows from the moment of the action, so that a repetition finds it, also once its window has closed.
    const name = { vault, credential, rotation: `r${since.toString(36)}` };
    const stream = streamOf(name);
    const receipt = found({ message: `a rotation of ${named} was asked for`, follow: stream });
    if ((await eventsOf(world, stream)).length > 0) return receipt;
    const wanted = await rotatable(world, named, target);
    if (!wanted.ok) return wanted;
    if (!(await fence()))
      return { ok: false, reason: "another process now owns the incident, so nothing was asked for" };
    const intent: RotationIntent = {
      ...name,
      vault: wanted.value.vault,
      credential: wanted.value.credential,
      cause: "requested",
      message: `alert ${incident.alert.rule}`,
      requestedBy,
      repairs: incident.alert.rule,
      ...(incident.alert.trace === undefined ? {} : { trace: incident.alert.trace }),
    };
    const asked = await world.streams.request(stream, intent, world.clock.now());
    return asked.ok ? receipt : asked;
  },
  follow: async ({ follow, until }, cancel) => {
    for (;;) {
      const { ending, published, live, direction } = fold(rotation, await eventsOf(world, follow));
      if (direction === "forward" && published !== live)
        return found({ good: true, message: "every consumer uses the new version, and it is published" });
      if (ending !== undefined) return found({ good: false, message: ending.message });
      if (cancel.aborted) return { ok: false, reason: "cut short" };
      if (world.clock.now() >= until) return { ok: false, reason: `${follow} has not cut every consumer over in time` };
      await world.time.nap(Math.min(lookMilliseconds, until - world.clock.now()), cancel);
    }
  },
});

const eventsOf = async ({ journal }: Pick<RotateWorld, "journal">, stream: string) =>
  (await journal.read(stream)).map(({ event }) => event) as readonly RotationEvent[];

/** Gives the credential if a rotation of it would begin now. One that waits for its window would act hours later. */
async function rotatable({ declared, clock }: RotateWorld, named: string, target: string): Promise<Result<Credential>> {
  const credential = await credentialOf(declared, named, target);
  if (!credential.ok) return credential;
  const { mayRotate } = credential.value;
  if (mayRotate.length > 0) return { ok: false, reason: `mayRotate of ${named} names who may ask, and not us` };
  const closed = closedAt(credential.value, clock.now());
  return closed === undefined ? credential : { ok: false, reason: `the rotation ${closed.message}` };
}
