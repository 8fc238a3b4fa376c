// A labelled week of one estate, by the minute: six services on a database and twelve kinds of incidents, two of which
// are noise. It is synthetic; a seed draws when incidents begin, how long they last and how strong they are.
import { seeded } from "../../demo/seeded.ts";

/** What is wrong, and what would put it right. */
export interface Kind {
  readonly name: string;
  /** The runbook that ends it; undefined where none of ours does, so that a person must be called. */
  readonly cure: "restart-revision" | "return-to-previous" | undefined;
  /** The share of failed requests while it lasts. */
  readonly failedPercent: number;
  readonly minutes: number;
  /** How many services it strikes at once. */
  readonly services: 1 | 6;
  /** Whether it is an incident at all; noise should wake nobody. */
  readonly isNoise: boolean;
  /** It comes back so many minutes after its cure. */
  readonly returnsAfterMinutes?: number;
}

const incident = (name: string, more: Partial<Kind> = {}): Kind => ({
  name,
  cure: undefined,
  failedPercent: 40,
  minutes: 120,
  services: 1,
  isNoise: false,
  ...more,
});

/** The twelve kinds. */
export const kinds: readonly Kind[] = [
  incident("bad release", { cure: "return-to-previous", failedPercent: 30 }),
  incident("slow burn of a release", { cure: "return-to-previous", failedPercent: 3, minutes: 480 }),
  incident("replica hangs", { cure: "restart-revision", failedPercent: 50 }),
  incident("memory leak", { cure: "restart-revision", failedPercent: 20 }),
  incident("connections leak", { cure: "restart-revision", failedPercent: 60 }),
  incident("fault that comes back", { cure: "restart-revision", returnsAfterMinutes: 60, minutes: 400 }),
  incident("shared database down", { services: 6, failedPercent: 90, minutes: 60 }),
  incident("expired password", { failedPercent: 100 }),
  incident("session that blocks others", { failedPercent: 70, minutes: 90 }),
  incident("partner's service down", { failedPercent: 25 }),
  incident("burst of two minutes", { isNoise: true, failedPercent: 60, minutes: 2 }),
  incident("failures at night, among few requests", { isNoise: true, failedPercent: 50, minutes: 20 }),
];

export const services = ["web", "cart", "search", "checkout", "reviews", "stock"] as const;
export const minutesOfWeek = 7 * 1440;

/** One incident of the week. */
export interface Labelled {
  readonly kind: Kind;
  readonly services: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** The requests of a service in each minute, without any incident. */
export interface Week {
  readonly incidents: readonly Labelled[];
  /** Requests and failed requests of a service in a minute, if nothing is done. */
  readonly traffic: (service: string, minute: number) => { readonly requests: number; readonly basePercent: number };
}

/** Draws a week: each kind once, one after another, with hours between them. */
export function drawWeek(seed: number): Week {
  const random = seeded(seed);
  const order = kinds.map((kind) => ({ kind, at: random() })).toSorted((one, other) => one.at - other.at);
  const slot = Math.floor(minutesOfWeek / kinds.length);
  const incidents = order.map(({ kind }, index): Labelled => {
    const isNight = kind.name.startsWith("failures at night");
    const begin = index * slot + 60 + Math.floor(random() * 120);
    const from = isNight ? Math.floor(begin / 1440) * 1440 + 120 : begin;
    const one = services[Math.floor(random() * services.length)]!;
    return { kind, services: kind.services === 6 ? services : [one], from, to: from + kind.minutes };
  });
  const bases = new Map(services.map((service) => [service as string, 0.02 + random() * 0.08]));
  return {
    incidents,
    traffic: (service, minute) => ({ requests: requestsAt(minute), basePercent: bases.get(service)! }),
  };
}

/** Few requests at night, many by day. */
function requestsAt(minute: number): number {
  const hour = (minute % 1440) / 60;
  return hour < 6 ? 4 : Math.round(200 + 150 * Math.sin(((hour - 6) / 18) * Math.PI));
}
