// Releases one revision of an app after the other, good and bad ones, and follows each to its end: the work of the
// chaos run and of the soak.
import { setTimeout as nap } from "node:timers/promises";
import { messageOf } from "../../engines/rollout/tell.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import type { Released } from "./laws.ts";
import type { App, World } from "./world.ts";

/** Where releases happen, what was released, and when to stop. */
export interface Releasing {
  readonly world: World;
  readonly released: Released[];
  readonly report: (line: string) => void;
  readonly stop: AbortSignal;
}

/** Releases one revision of an app after the other until the time is over, and follows each to its end. */
export async function releaseOn(
  app: App,
  { world, released, report, stop }: Releasing,
  badness: readonly boolean[],
): Promise<void> {
  for (let count = 2; !stop.aborted; count++) {
    const bad = badness[count % badness.length]!;
    const revision = await world.shop.release(
      String(count),
      await world.traffic(app),
      app,
      bad ? { FAULT: "errors", FAULT_PERCENT: "60" } : {},
    );
    const release: Released = { app, revision, bad, disturbed: false };
    released.push(release);
    await world.requestRollout(app, revision, String(count));
    const result = await ended(world, release);
    report(`${revision} ${bad ? "bad" : "good"}: ${result ?? (await lastFacts(world, release))}`);
    if (result === undefined) return; // The next one would be refused while this one is in flight.
  }
}

/** Waits up to three minutes for the end of a release and gives its result; undefined if it has not ended. */
async function ended(world: World, { app, revision }: Released): Promise<string | undefined> {
  for (const deadline = performance.now() + 180_000; performance.now() < deadline; await nap(500)) {
    const { body } = await world.call("GET", `/rollouts/shop/${app}/${revision}`);
    if (body?.result !== undefined && body.phase === "finished") return `${body.result}: ${body.message}`;
  }
  return undefined;
}

/** Describes the last facts of a release that does not end. */
async function lastFacts(world: World, { revision }: Released): Promise<string> {
  const { rows } = await world.pool.query<{ event: RolloutEvent; process: string; ago: number }>(
    `select event, process, extract(epoch from clock_timestamp() - written_at)::integer as ago
      from ballast.facts where stream like $1 order by index desc limit 20`,
    [`%/${revision}`],
  );
  return [
    "did not end within three minutes; its last facts:",
    ...rows
      .reverse()
      .map(({ event, process, ago }) => `        ${ago} s ago by ${process}: ${event.kind}  ${messageOf(event)}`),
  ].join("\n");
}
