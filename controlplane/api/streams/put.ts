// PUT /<kind>/<name>: starts a stream. Repeating the call answers with the existing stream, finished or not, so that an
// unchanged `pulumi up` returns at once and a lost answer can be fetched again. Only if the world is no longer as the
// stream left it, a finished one begins again.
import { keptFold, type Request } from "../../../engines/engine.ts";
import { read } from "../../../engines/form.ts";
import { type AnyKind, kindOf, runEngine, streamOf } from "../../../engines/kind.ts";
import { callMalformed, streamInFlight, streamOvertaken } from "../../../errors/api.ts";
import { claimTargetHeld } from "../../../errors/claims.ts";
import type { Fact, Journal } from "../../runtime/ports.ts";
import { whyStuck } from "../../runtime/stuck.ts";
import {
  type Answer,
  answer,
  type Call,
  continued,
  type Parts,
  refuse,
  refuseTarget,
  senderIn,
  unmanagedOf,
} from "../call.ts";
import { summaryOf } from "./show.ts";

/** When to retry while another stream ends. */
const retryAfter = { "retry-after": "2" };

/** The journals that are kept between two calls. More would be read again from their starts. */
const keptMax = 50;

/** Gives the state of the stream that holds a target, or that it is stuck. */
type HolderState = (stream: string, journal: Pick<Journal, "read">) => Promise<unknown>;

/**
 * Reads holders. A caller that waits for one asks again every two seconds, so only the newest facts are read, and each
 * is folded once.
 */
function openHolders(kind: AnyKind): HolderState {
  const stateOf = keptFold(kind.engine);
  const kept = new Map<string, readonly Fact[]>();
  return async (stream, journal) => {
    try {
      const facts = await journal.read(stream, kept.get(stream));
      kept.delete(stream);
      return runEngine(() => {
        const state = stateOf(facts);
        if (kind.engine.react(state) !== undefined) kept.set(stream, facts);
        for (const oldest of kept.keys()) if (kept.size > keptMax) kept.delete(oldest);
        return state;
      });
    } catch (thrown) {
      if (whyStuck(stream, thrown) === undefined) throw thrown;
      return "stuck";
    }
  };
}

/**
 * Starts a stream, answers with the existing one, or refuses while another one holds one of its targets. It also
 * refuses a stream whose end another one has undone on purpose.
 */
export const putStream =
  (kind: AnyKind, holderState = openHolders(kind)): Answer =>
  async (call, parts) => {
    const named = await unmanagedOf(kind.calls.targetsNamed(call.path), parts);
    if (named !== undefined) return refuseTarget(named);
    const asked = read(kind.calls.request, call.body);
    if ("complaints" in asked) return refuse(400, callMalformed(asked));
    const stream = streamOf(kind, call.path);
    const request: Request<unknown> = {
      kind: "Request",
      at: parts.now(),
      intent: kind.calls.intentOf({
        name: call.path,
        body: asked.value,
        ...senderIn(call.caller),
        ...continued(call),
        apps: parts.managedApps,
      }),
    };
    const targets = runEngine(() => {
      const [first] = kind.engine.decide(kind.engine.initial, request);
      return kind.targetsOf(first);
    });
    const unmanaged = await unmanagedOf(targets, parts);
    if (unmanaged !== undefined) return refuseTarget(unmanaged);
    const existing = await summaryOf(stream, parts.journal);
    const settled = existing === undefined ? undefined : await answerAsIs(stream, existing, parts);
    if (settled !== undefined) return settled;
    for (const holder of await parts.claims.holders(targets)) {
      const refusal = await refuseWhileHeld({ kind, stream, holder, body: asked.value, holderState }, call, parts);
      if (refusal !== undefined) return refusal;
    }
    const again = existing === undefined ? {} : { again: true };
    const started = await parts.streams.start(stream, { ...request, ...again });
    return answer(started === "started" ? 202 : 200, await summaryOf(stream, parts.journal));
  };

/** Answers with a stream that exists; undefined if it is to begin again. */
async function answerAsIs(stream: string, existing: object, { standing }: Parts): Promise<Response | undefined> {
  const found = (await standing?.(stream)) ?? "stands";
  if (found === "again") return undefined;
  return found === "stands" ? answer(200, existing) : refuse(409, streamOvertaken({ stream, why: found.why }));
}

/** A request for a stream whose target another stream holds. */
interface Held {
  readonly kind: AnyKind;
  readonly stream: string;
  readonly holder: string;
  readonly body: unknown;
  readonly holderState: HolderState;
}

/** Refuses a request while the stream that holds its target is in flight; undefined if that one has finished. */
async function refuseWhileHeld(
  { kind, stream, holder, body, holderState }: Held,
  { caller, path }: Call,
  parts: Parts,
): Promise<Response | undefined> {
  const { journal, kinds, streams, now } = parts;
  const other = kinds.of(holder);
  if (holder === stream) return undefined;
  if (other === undefined || other.kind !== kind.kind) {
    const mayWait = kinds.precedence[kind.kind]?.[kindOf(holder)] === "wait";
    return refuse(409, claimTargetHeld({ stream, heldBy: holder }), {}, mayWait ? retryAfter : {});
  }
  const state = await holderState(holder, journal);
  // Only a version that can read its journal knows whether it has finished.
  if (state === "stuck") return refuse(409, claimTargetHeld({ stream, heldBy: holder }));
  if (kind.engine.react(state) === undefined) return undefined;
  const { answer: met, signal } = kind.calls.meets({ name: path, body }, state);
  if (signal !== undefined) await streams.signal(holder, { kind: "Signal", at: now(), ...senderIn(caller), ...signal });
  return refuse(409, streamInFlight({ stream: holder, answer: met }), {}, met === "refused" ? {} : retryAfter);
}
