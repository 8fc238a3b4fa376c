// Which revision and which replica get a request or a connection: by weight, by label, or the one whose turn it is.
// Weights and health are looked up each time, so that a change applies at once.
import type { Replica } from "./replicas.ts";
import { type AppRuntime, findRevision, type Revision, readyReplicas, trafficOf } from "./revisions.ts";

/** Picks a revision by weight. `draw` gives a number from 0 to 1. */
export function pickRevision(app: AppRuntime, draw: () => number): Revision | undefined {
  const all = trafficOf(app);
  const ready = app.quirks["names-do-not-wait"]
    ? []
    : all.filter(({ revision, weight }) => weight > 0 && readyReplicas(revision).length > 0);
  const among = ready.length > 0 ? ready : all;
  let left = draw() * among.reduce((sum, { weight }) => sum + weight, 0);
  for (const { revision, weight } of among) {
    left -= weight;
    if (left < 0) return revision;
  }
  return undefined;
}

/** Finds the revision of a host's first label: `<app>--<suffix>`, or `<app>---<label>`. */
export function revisionByPrefix(app: AppRuntime, prefix: string): Revision | undefined {
  const label = `${app.name}---`;
  return prefix.startsWith(label)
    ? trafficOf(app).find((entry) => entry.label === prefix.slice(label.length))?.revision
    : findRevision(app, prefix);
}

const turns = new WeakMap<Revision, number>();

/** Gives the replica whose turn it is; undefined when none is ready. */
export function nextReplica(revision: Revision | undefined): Replica | undefined {
  const ready = readyReplicas(revision);
  if (!revision || ready.length === 0) return undefined;
  const turn = turns.get(revision) ?? 0;
  turns.set(revision, turn + 1);
  return ready[turn % ready.length];
}

/** Makes a generator of numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
