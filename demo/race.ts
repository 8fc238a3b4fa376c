// A `pulumi up` that races with a verdict: the next release comes in while the one before it is being decided. Whichever is first, it ends
// clean or is refused with an error of the catalogue, and the verdict is what the fault demands.
import type { Ended } from "../toolchain/child.ts";
import { type Draw, type DrawnRelease, environmentOf } from "./draw.ts";
import { account, app, carryOut, checkResult, follow, knownNow, type Released, type Stage } from "./release.ts";

/** What may refuse an `up` that comes too early, or too late for what it had planned. */
const refusals = ["rollout-in-flight", "canary-app-traffic-moved", "canary-app-held"];

/** Releases one without waiting for it, starts the next one's `pulumi up` when it is drawn, and gives what became of both. */
export async function race(
  stage: Stage,
  first: DrawnRelease,
  next: DrawnRelease,
  { atPercent, afterSeconds }: NonNullable<Draw["race"]>,
): Promise<readonly Released[]> {
  const { stack, plane, timeline } = stage;
  const from = Date.now();
  const known = await knownNow(stage);
  stack.configure({ "ballast:wait": false });
  stack.setStorefront(environmentOf(first));
  const begun = await stack.up();
  stack.configure({ "ballast:wait": undefined });
  timeline.check(begun.code === 0, `pulumi up does not wait for release ${first.release}`);
  const start = (): Promise<Ended> => {
    timeline.line(
      `  ⇄ pulumi up with release ${next.release}, while release ${first.release} is being decided`,
      "magenta",
    );
    stack.setStorefront(environmentOf(next));
    return stack.up();
  };
  let racing: Promise<Ended> | undefined;
  const followed = await follow(stage, known, {
    atPercent,
    afterSeconds,
    act: async () => {
      racing = start();
    },
  });
  const to = Date.now();
  const ended = await (racing ?? start());
  checkResult(timeline, first, followed);
  const journal = await plane.journal(followed.name);
  const decided = { ...first, ...followed, from, to, journal };

  const started = (await plane.list(app)).rollouts.find(
    ({ id, revision }) => !known.has(id) && revision !== followed.name.revision,
  );
  if (started === undefined) {
    const refusal = refusals.find((id) => ended.output.includes(id));
    timeline.check(
      ended.code !== 0 && refusal !== undefined,
      `release ${next.release} came too early and was refused${refusal === undefined ? ` otherwise:\n${ended.output}` : ` with ${refusal}`}; it is asked for again`,
    );
    return [decided, await carryOut(stage, next)];
  }
  timeline.line(`release ${next.release} came in when release ${first.release} had been decided, and was carried out`);
  const { result, sentence, revision, startedAt } = started;
  if (result === null) throw new Error(`pulumi up ended before its rollout did:\n${ended.output}`);
  return [decided, await account(stage, next, { name: { ...app, revision }, result, sentence }, ended, startedAt)];
}
