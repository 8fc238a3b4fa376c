// Calls the port of a rollout's effect: the only switch over effects that touches the world, one line for each effect.
// The adapters know how a call is sent and what its answers mean.
import type { Result } from "../../engines/engine.ts";
import type { RolloutEffect } from "../../engines/rollout/vocabulary.ts";
import { aborted, systemTime } from "../runtime/clock.ts";
import { readWithin, requestsPerRead, writeWithin } from "../runtime/limits.ts";
import type { Within } from "../runtime/performer.ts";
import type { Clock, Fence, Time } from "../runtime/ports.ts";
import type { Apps, OldRoles, Requests } from "./rollout-ports.ts";

/** The ports of a rollout, and the limit of one request. */
export interface RolloutCalls {
  readonly apps: Apps;
  readonly requests: Requests;
  /** What rotations retire; undefined where there are none. */
  readonly oldRoles?: OldRoles | undefined;
  readonly clock: Clock;
  /** The limit of a single request to the cloud; shorter than the lease. */
  readonly requestSeconds: number;
  /** @default the machine's time */
  readonly time?: Time | undefined;
}

/** Gives what the port answers, or a failure if it does not in time. A read is cut short by `cancel`, a write never. */
export async function callRolloutPort(
  effect: RolloutEffect,
  world: RolloutCalls,
  { stream, fence, cancel }: Pick<Within, "stream" | "fence" | "cancel">,
  over: AbortSignal,
): Promise<Result<unknown>> {
  const { apps, requests, oldRoles, clock, time = systemTime } = world;
  const read = <Value>(
    call: (cancel: AbortSignal) => Promise<Result<Value>>,
    seconds = world.requestSeconds * requestsPerRead,
  ) => readWithin(call, seconds, cancel, over, time);
  const write = <Value>(call: (fence: Fence) => Promise<Result<Value>>) =>
    writeWithin(call, world.requestSeconds, fence, over, time);
  switch (effect.kind) {
    case "Repoint":
      return write((asked) => apps.repoint(effect, asked));
    case "Inspect":
      return read(async (late) => {
        const view = await apps.inspect(effect, late);
        const retired = view.ok ? await oldRoles?.retiredIn(effect.target) : undefined;
        return view.ok && retired?.length ? { ok: true, value: { ...view.value, retired } } : view;
      });
    case "OpenRole":
      return oldRoles === undefined
        ? { ok: false, reason: `${effect.rotation} cannot be asked here` }
        : write((asked) => oldRoles.open(effect.rotation, stream, clock.now(), asked));
    case "Activate":
      return write((asked) => apps.activate(effect, asked));
    case "Probe":
      return read((late) => apps.probe(effect, late), effect.timeoutSeconds + world.requestSeconds * requestsPerRead);
    case "ShiftTraffic":
      return write((asked) => apps.shift(effect, asked));
    case "VerifyTraffic":
      return read((late) => apps.readTraffic(effect.target, late));
    case "Wait":
      return clock.until(effect.until, cancel).then(nothing);
    case "AwaitSignal":
      return aborted(cancel).then(nothing);
    case "Measure":
      return read((late) => requests.measure(effect, clock.now(), late));
    case "Deactivate":
      return write((asked) => apps.deactivate(effect, asked));
  }
}

const nothing = (): Result<null> => ({ ok: true, value: null });
