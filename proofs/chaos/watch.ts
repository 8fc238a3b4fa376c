// Checks laws during the chaos run, again and again, so that a violation counts even if it is repaired before the end.
// The laws that must hold at the end are in laws.ts; main.ts injects the faults.
import { setTimeout as nap } from "node:timers/promises";
import { connectionOptions } from "../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../controlplane/adapters/postgres/journal.ts";
import { registerKinds } from "../../engines/kind.ts";
import { rolloutKind } from "../../engines/rollout/kind.ts";
import { replay } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { lawsOfWrites, type Released } from "./laws.ts";
import { type App, apps, leaseSeconds, requestSeconds, type World } from "./world.ts";

/** What was observed during a run. */
export interface Watched {
  readonly broken: readonly string[];
  readonly checks: number;
  /** The longest time that a reverted revision had users again, in milliseconds. */
  readonly latestMilliseconds: number;
}

/**
 * How long a late write may last. A request may take its full time after its claim was lost; the next
 * holder of the claim reads the weights at each interval and corrects them. The rest is what one
 * check of ours takes on a machine under load.
 */
const lateSecondsMax = leaseSeconds + 2 * requestSeconds;

interface Watch {
  readonly world: World;
  readonly released: readonly Released[];
  readonly breaks: (message: string) => void;
}

/** Checks until it is stopped, and gives what it observed. */
export async function watch(world: World, released: readonly Released[], stop: AbortSignal): Promise<Watched> {
  const messages = new Set<string>();
  const common: Watch = { world, released, breaks: (message) => messages.add(message) };
  const journals = journalsLaw(common);
  const regain = regainLaw(common);
  // An emulator that is killed loses its log of requests, so the log is read during the run.
  const writes = async (): Promise<void> => {
    for (const message of await lawsOfWrites(world)) messages.add(message);
  };
  let checks = 0;
  for (; !stop.aborted; checks++) {
    // A check fails while something is dead; the next one tries again.
    for (const law of [journals.hold, regain.hold, ...(checks % 5 === 0 ? [writes] : [])])
      await law().catch(() => undefined);
    await nap(300, undefined, { signal: stop }).catch(() => undefined);
  }
  await journals.close();
  return { broken: [...messages], checks, latestMilliseconds: regain.latest() };
}

/**
 * A journal that has grown passes its chain of hashes, only got new facts at its
 * end, and replays to the same decisions.
 */
function journalsLaw({ world: { pool, database }, breaks }: Watch) {
  const journal = openJournal(pool, connectionOptions(database), registerKinds([rolloutKind]), () => {});
  const known = new Map<string, readonly RolloutEvent[]>();
  return {
    close: journal.close,
    hold: async (): Promise<void> => {
      const { rows } = await pool.query<{ stream: string; length: number }>(
        "select stream, length from ballast.streams",
      );
      for (const { stream, length } of rows) {
        if (length <= (known.get(stream)?.length ?? 0)) continue;
        const events = (
          await journal.read(stream).catch((error: Error & { id?: string }) => {
            if (error.id?.startsWith("journal-"))
              breaks(`${stream} failed its chain of hashes during the run: ${error.message}`);
            throw error;
          })
        ).map(({ event }) => event);
        const before = known.get(stream) ?? [];
        if (JSON.stringify(events.slice(0, before.length)) !== JSON.stringify(before))
          breaks(`${stream} lost or changed facts during the run`);
        const divergence = replay(events);
        if (divergence !== undefined)
          breaks(`${stream} is decided differently on replay at fact ${divergence.index}, during the run`);
        known.set(stream, events);
      }
    },
  };
}

/** A reverted revision gets no users again, except for a short time by a write that lands late. */
function regainLaw({ world, released, breaks }: Watch) {
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
            breaks(`${revision} was reverted but had users again for longer than ${lateSecondsMax} s`);
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
