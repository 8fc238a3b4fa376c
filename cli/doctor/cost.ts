// What a stack costs a month at the least, as an estimate from what it deploys and a dated table of prices: what runs whether or not anybody asks
// for it. What depends on use is left out and named. Pure.

import type { Patient } from "./context.ts";
import { type Check, ok, type Said, unknown } from "./finding.ts";
import { type Price, prices } from "./prices.ts";
import type { Stack } from "./stack.ts";

const hoursAMonth = 730;
const databaseGb = 32;
const priceDaysMax = 365;

/** One line of an estimate: a month's dollars with all replicas idle and with all of them busy, by one price where both ask the same. */
export interface CostLine {
  readonly what: string;
  readonly idle: number;
  readonly busy: number;
  /** The prices that it was made of. */
  readonly from: readonly Price[];
}

/** What a month costs; what is missing has no price in the table. */
export interface Estimate {
  readonly lines: readonly CostLine[];
  readonly missing: readonly string[];
}

/** Estimates what the stack's least replicas, its database and its registry cost a month. Free grants are not taken off: other apps of the subscription may use them up. */
export function estimate({
  replicas,
  database,
  paysRegistry,
}: Pick<Stack, "replicas" | "paysRegistry"> & {
  readonly database: Pick<NonNullable<Stack["database"]>, "sku" | "zoneRedundant"> | undefined;
}): Estimate {
  const seconds = hoursAMonth * 3600;
  const hour = database && prices.databaseHour[database.sku];
  const servers = database?.zoneRedundant ? 2 : 1;
  const vcpus = replicas.reduce((sum, { least, cpu }) => sum + least * cpu, 0);
  const gib = replicas.reduce((sum, one) => sum + one.least * one.gib, 0);
  const same = (what: string, times: number, price: Price): CostLine => ({
    what,
    idle: times * price.dollars,
    busy: times * price.dollars,
    from: [price],
  });
  return {
    lines: [
      {
        what: `${vcpus} vCPU of replicas`,
        idle: seconds * vcpus * prices.vcpuIdleSecond.dollars,
        busy: seconds * vcpus * prices.vcpuBusySecond.dollars,
        from: [prices.vcpuIdleSecond, prices.vcpuBusySecond],
      },
      same(`${gib} GiB of replicas`, seconds * gib, prices.gibSecond),
      ...(database && hour
        ? [
            same(
              `database ${database.sku}, ${servers === 1 ? "one server" : "two servers"}`,
              servers * hoursAMonth,
              hour,
            ),
          ]
        : []),
      ...(database
        ? [same(`${servers * databaseGb} GB of database`, servers * databaseGb, prices.databaseGbMonth)]
        : []),
      ...(paysRegistry ? [same("registry", hoursAMonth / 24, prices.registryDay)] : []),
    ],
    missing: database && hour === undefined ? [`a database of size ${database.sku}`] : [],
  };
}

/** What a network adds to the bill, of which no price was found. */
const ofNetworks = ", the load balancer, addresses and private zones of the network";

/** Says an estimate in words and by line. One that lacks a price is no sum, and one of old prices is none of today: both are unknown. */
export function judgeCost({ lines, missing }: Estimate, now: Date, onTop = ""): Said {
  const from = lines.flatMap((line) => line.from);
  const days = from.map(({ readOn }) => readOn).sort();
  const regions = [...new Set(from.map(({ region }) => region))];
  const total = (of: "idle" | "busy"): number => Math.round(lines.reduce((sum, line) => sum + line[of], 0));
  const what = `${total("idle")} to ${total("busy")} US dollars a month at the least replicas, idle or busy, by prices of ${regions.join(" and ")} read between ${days[0]} and ${days.at(-1)}; requests, logs, telemetry, alert rules, traffic${onTop}, the switch and canaries come on top`;
  if (missing.length > 0)
    return { ...unknown(`without ${missing.join(" and ")}, of which no price is known here: ${what}`), lines };
  const age = Math.floor((now.getTime() - Date.parse(days[0]!)) / 86_400_000);
  return age > priceDaysMax
    ? { ...unknown(`by prices that are up to ${age} days old, and may not be asked any more: ${what}`), lines }
    : { ...ok(`estimated ${what}`), lines };
}

/** The one check that asks nobody. */
export const costChecks: readonly Check<Patient>[] = [
  {
    name: "cost",
    run: async ({ stack }) => judgeCost(estimate(stack), new Date(), stack.paysNetwork ? ofNetworks : ""),
  },
];
