// What the replicas of apps were like, once in each minute of the emulator's clock: how many there are, how often they
// restarted, and what their processes use. Memory and CPU are those of the real processes by Linux's /proc; elsewhere
// they have no values. A process uses CPU in real time, however fast the emulator's clock runs.
import { readFileSync } from "node:fs";
import type { Cloud } from "../arm/resource.ts";
import type { Replica } from "./replicas.ts";
import type { AppRuntime } from "./revisions.ts";

/** One active revision at one moment. */
export interface Sample {
  readonly at: number;
  /** The app's id, in lower case. */
  readonly app: string;
  readonly revision: string;
  readonly pods: readonly PodSample[];
}

/** One replica at one moment. */
interface PodSample {
  readonly name: string;
  /** How often its containers have restarted since it was made. */
  readonly restarts: number;
  readonly nanoCores?: number;
  readonly bytes?: number;
}

/** The samples of a cloud, the oldest first. */
export interface Samples {
  readonly all: readonly Sample[];
  /** Keeps samples as they are. For tests. */
  readonly put: (samples: readonly Sample[]) => void;
}

/** At least this many of the newest samples are kept. */
const samplesMax = 50_000;
const everyMilliseconds = 60_000;
const lookMilliseconds = 1_000;
const kept = new WeakMap<Cloud, Samples & { all: Sample[] }>();

/** Gives the samples of a cloud; the first call makes an empty list. */
export function samplesOf(cloud: Cloud): Samples {
  const found = kept.get(cloud);
  if (found) return found;
  const made: Samples & { all: Sample[] } = {
    all: [],
    put: (samples) => {
      made.all.push(...samples);
      if (made.all.length > samplesMax * 1.1) made.all = made.all.slice(-samplesMax);
    },
  };
  kept.set(cloud, made);
  return made;
}

/** Takes samples until the emulator closes. */
export function watchReplicas(cloud: Cloud, apps: ReadonlyMap<string, AppRuntime>, closing: AbortSignal): void {
  const usage = openUsage();
  let next = cloud.clock.now();
  const timer = setInterval(() => {
    const at = cloud.clock.now();
    // A clock that was set back begins anew.
    if (at < next && next - at <= everyMilliseconds) return;
    next = at + everyMilliseconds;
    samplesOf(cloud).put([...apps.values()].flatMap((app) => sampleApp(app, at, usage)));
  }, lookMilliseconds).unref();
  closing.addEventListener("abort", () => clearInterval(timer));
}

const sampleApp = ({ id, revisions }: AppRuntime, at: number, usage: Usage): readonly Sample[] =>
  revisions
    .filter(({ active }) => active)
    .map(({ name, set }) => ({
      at,
      app: id.toLowerCase(),
      revision: name,
      pods: (set?.replicas ?? []).map((replica) => samplePod(replica, usage)),
    }));

function samplePod({ name, containers }: Replica, usage: Usage): PodSample {
  const used = containers.flatMap(({ pid }) => (pid === undefined ? [] : (usage(pid) ?? [])));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const isKnown = used.length > 0;
  return {
    name,
    restarts: sum(containers.map(({ restarts }) => restarts)),
    ...(isKnown && { nanoCores: sum(used.map(({ nanoCores }) => nanoCores)) }),
    ...(isKnown && { bytes: sum(used.map(({ bytes }) => bytes)) }),
  };
}

type Usage = (pid: number) => { readonly nanoCores: number; readonly bytes: number } | undefined;

/** Linux's units on the machines that run the emulator: a clock tick, and a page. */
const [tickNanoseconds, pageBytes] = [10_000_000, 4_096];

/** Reads what a process uses: its memory now, and its CPU since the last look, or since it began. */
function openUsage(): Usage {
  const before = new Map<number, { readonly ticks: number; readonly seconds: number }>();
  return (pid) => {
    try {
      // The name of a process is in brackets, and may have spaces.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
      const ticks = Number(stat[11]) + Number(stat[12]);
      const seconds = Number(readFileSync("/proc/uptime", "utf8").split(" ", 1)[0]);
      const earlier = before.get(pid) ?? { ticks: 0, seconds: Number(stat[19]) / 100 };
      before.set(pid, { ticks, seconds });
      const passed = Math.max(seconds - earlier.seconds, 0.01);
      const bytes = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * pageBytes;
      return { nanoCores: ((ticks - earlier.ticks) * tickNanoseconds) / passed, bytes };
    } catch {
      before.delete(pid);
      return undefined;
    }
  };
}
