// PUT /rollouts/{rg}/{app}/{revision}: someone asks for a release. Putting the same one again finds it where it stands,
// finished ones too, so that an unchanged `pulumi up` answers at once and an answer that was lost can be had again.
import { fold } from "../../../engines/engine.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { callMalformed, rolloutInFlight } from "../../../errors/api.ts";
import { type Answer, answer, type Call, type Parts, refuse, refuseTarget, targetOfCall } from "../call.ts";
import { type AskedRelease, readRelease } from "./forms.ts";
import { shown } from "./summary.ts";

/** When to ask again while another rollout gives its traffic back. */
const retryAfterSeconds = 2;

/** Starts a rollout, shows the one that exists, or refuses while another of the same app is in flight. */
export const putRollout: Answer = async (call, parts) => {
  const target = targetOfCall(call, parts);
  if (target === undefined) return refuseTarget(call);
  const revision = (call.path["revision"] ?? "").toLowerCase();
  const asked = readRelease(call.body);
  if ("complaints" in asked) return refuse(400, callMalformed(asked));
  const stream = streamOf(target, revision);
  const existing = shown(stream, await parts.journal.read(stream));
  if (existing !== undefined) return answer(200, existing);
  const [inFlight] = (await parts.journal.streams({ target, unfinished: true })).filter((other) => other !== stream);
  if (inFlight !== undefined) return refuseSecond(inFlight, asked.value, call, parts);
  const { whenInFlight: _said, shadow, gate, ...intent } = asked.value;
  const started = await parts.rollouts.start(stream, {
    kind: "Request",
    at: parts.now(),
    intent: {
      ...intent,
      ...(shadow === undefined ? {} : { shadow }),
      ...(gate === undefined ? {} : { gate }),
      target,
      revision,
      requestedBy: call.caller.name,
    },
  });
  return answer(started === "started" ? 202 : 200, shown(stream, await parts.journal.read(stream)));
};

async function refuseSecond(
  inFlight: string,
  { whenInFlight, release }: AskedRelease,
  { caller }: Call,
  { rollouts, journal, now }: Parts,
): Promise<Response> {
  const superseded = whenInFlight === "supersede";
  // Sent once: the caller asks again until the traffic has been given back, and each disregarded abort would be a fact.
  const isEnding =
    fold(
      rollout,
      (await journal.read(inFlight)).map(({ event }) => event),
    ).ending !== undefined;
  if (superseded && !isEnding)
    await rollouts.signal(inFlight, {
      kind: "Signal",
      at: now(),
      signal: "supersede",
      by: caller.name,
      reason: `release ${release} takes its place`,
    });
  return refuse(
    409,
    rolloutInFlight({ stream: inFlight, superseded }),
    {},
    superseded ? { "retry-after": String(retryAfterSeconds) } : {},
  );
}
