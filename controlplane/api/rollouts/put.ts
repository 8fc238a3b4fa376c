// PUT /rollouts/{rg}/{app}/{revision}: starts a rollout. Repeating the call answers with the existing rollout, finished
// or not, so that an unchanged `pulumi up` returns at once and a lost answer can be fetched again.
import { fold } from "../../../engines/engine.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { callMalformed, rolloutInFlight } from "../../../errors/api.ts";
import { type Answer, answer, type Call, type Parts, refuse, refuseTarget, targetOfCall } from "../call.ts";
import { type AskedRelease, readRelease } from "./forms.ts";
import { summaryOf } from "./summary.ts";

/** When to retry while another rollout returns its traffic. */
const retryAfterSeconds = 2;

/** Starts a rollout, answers with the existing one, or refuses while another of the same app is in flight. */
export const putRollout: Answer = async (call, parts) => {
  const target = targetOfCall(call, parts);
  if (target === undefined) return refuseTarget(call);
  const revision = (call.path["revision"] ?? "").toLowerCase();
  const asked = readRelease(call.body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const stream = streamOf(target, revision);
  const existing = summaryOf(stream, await parts.journal.read(stream));
  if (existing !== undefined) return answer(200, existing);
  const [inFlight] = (await parts.journal.streams({ target, unfinished: true })).filter((other) => other !== stream);
  if (inFlight !== undefined) return refuseSecond(inFlight, asked.value, call, parts);
  const { whenInFlight: _notStored, dryRun, gate, ...intent } = asked.value;
  const started = await parts.rollouts.start(stream, {
    kind: "Request",
    at: parts.now(),
    intent: {
      ...intent,
      ...(dryRun === undefined ? {} : { dryRun }),
      ...(gate === undefined ? {} : { gate }),
      target,
      revision,
      requestedBy: call.caller.name,
    },
  });
  return answer(started === "started" ? 202 : 200, summaryOf(stream, await parts.journal.read(stream)));
};

async function refuseSecond(
  inFlight: string,
  { whenInFlight, release }: AskedRelease,
  { caller }: Call,
  { rollouts, journal, now }: Parts,
): Promise<Response> {
  const superseded = whenInFlight === "supersede";
  // Sent once: the caller repeats the call until the traffic is back, and each disregarded abort would add a fact.
  const events = (await journal.read(inFlight)).map(({ event }) => event);
  const isEnding = fold(rollout, events).ending !== undefined;
  if (superseded && !isEnding)
    await rollouts.signal(inFlight, {
      kind: "Signal",
      at: now(),
      signal: "supersede",
      by: caller.name,
      message: `release ${release} replaces it`,
    });
  return refuse(
    409,
    rolloutInFlight({ stream: inFlight, superseded }),
    {},
    superseded ? { "retry-after": String(retryAfterSeconds) } : {},
  );
}
