// Looks at the world while it is hurt, again and again: a law that is broken for a moment and mended by the end is broken all the
// same. What must hold at the end is laws.ts; what is hurt is main.ts.
import { setTimeout as nap } from "node:timers/promises";
import { connectionOptions } from "../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../controlplane/adapters/postgres/journal.ts";
import { replay } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { lawsOfWrites, type Released } from "./laws.ts";
import { type App, apps, leaseSeconds, requestSeconds, type World } from "./world.ts";

/** What was seen in the course of a run. */
export interface Watched {
  readonly broken: readonly string[];
  readonly looks: number;
  /** For how long at the most a revision that had been given up had users again, in milliseconds. */
  readonly latestMilliseconds: number;
}

/**
 * For how long a write that landed late may stand: a request may take its whole time after its claim was lost, and whoever has the claim by
 * then looks at each tick and writes again. Beside it, what a machine under load needs for one look of ours.
 */
const lateSecondsMax = leaseSeconds + 2 * requestSeconds;

interface Look {
  readonly world: World;
  readonly released: readonly Released[];
  readonly breaks: (sentence: string) => void;
}

/** Watches until it is told to end, and gives what it saw. */
export async function watch(world: World, released: readonly Released[], stop: AbortSignal): Promise<Watched> {
  const broken = new Set<string>();
  const look: Look = { world, released, breaks: (sentence) => broken.add(sentence) };
  const journals = journalsLaw(look);
  const regain = regainLaw(look);
  // A cloud that was killed has forgotten what it was asked, so its log is read in between.
  const writes = async (): Promise<void> => {
    for (const sentence of await lawsOfWrites(world)) broken.add(sentence);
  };
  let looks = 0;
  for (; !stop.aborted; looks++) {
    // Whoever looks while something is dead looks again; only what is seen counts.
    for (const law of [journals.hold, regain.hold, ...(looks % 5 === 0 ? [writes] : [])])
      await law().catch(() => undefined);
    await nap(300, undefined, { signal: stop }).catch(() => undefined);
  }
  await journals.close();
  return { broken: [...broken], looks, latestMilliseconds: regain.latest() };
}

/** Each journal that has grown is read as the control plane reads it, chain and all, folds, is decided again, and begins as it did before. */
function journalsLaw({ world: { pool, database }, breaks }: Look) {
  const journal = openJournal(pool, connectionOptions(database), () => {});
  const known = new Map<string, readonly RolloutEvent[]>();
  return {
    close: journal.close,
    hold: async (): Promise<void> => {
      const { rows } = await pool.query<{ stream: string; length: number }>(
        "select stream, length from ballast.streams",
      );
      for (const { stream } of rows.filter(({ stream, length }) => length > (known.get(stream)?.length ?? 0))) {
        const events = (
          await journal.read(stream).catch((error: Error & { id?: string }) => {
            if (error.id?.startsWith("journal-"))
              breaks(`${stream} could not be believed in its course: ${error.message}`);
            throw error;
          })
        ).map(({ event }) => event);
        const before = known.get(stream) ?? [];
        if (JSON.stringify(events.slice(0, before.length)) !== JSON.stringify(before))
          breaks(`${stream} was not merely added to`);
        const divergence = replay(events);
        if (divergence !== undefined)
          breaks(`${stream} is decided otherwise at fact ${divergence.index}, in its course`);
        known.set(stream, events);
      }
    },
  };
}

/** A revision whose users were given back has none again, but for a write that lands late and is put right. */
function regainLaw({ world, released, breaks }: Look) {
  const lastWithout = new Map<string, number>();
  let latest = 0;
  return {
    latest: () => Math.round(latest),
    hold: async (): Promise<void> => {
      const { rows } = await world.pool.query<{ stream: string }>(
        "select stream from ballast.facts where event->>'kind' = 'Reverted'",
      );
      const reverted = new Set(rows.map(({ stream }) => stream.split("/").at(-1)!));
      for (const app of apps) {
        const weights = await weightsOf(world, app);
        for (const { revision } of released.filter(
          (release) => release.app === app && reverted.has(release.revision),
        )) {
          if (!weights.has(revision) || !lastWithout.has(revision)) {
            lastWithout.set(revision, performance.now());
            continue;
          }
          const milliseconds = performance.now() - lastWithout.get(revision)!;
          latest = Math.max(latest, milliseconds);
          if (milliseconds > lateSecondsMax * 1000)
            breaks(`${revision} was given up and had users again for longer than ${lateSecondsMax} s`);
        }
      }
    },
  };
}

async function weightsOf({ shop: { arm, cloud } }: World, app: App): Promise<ReadonlySet<string>> {
  const { body } = await arm(
    "GET",
    `/subscriptions/${cloud.subscription}/resourceGroups/shop/providers/Microsoft.App/containerApps/${app}`,
  );
  const traffic = body.properties.configuration.ingress.traffic as readonly { revisionName?: string; weight: number }[];
  return new Set(traffic.flatMap(({ revisionName, weight }) => (revisionName && weight > 0 ? [revisionName] : [])));
}
