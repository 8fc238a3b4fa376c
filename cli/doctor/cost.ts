// What a stack costs a month at the least, as an estimate from its settings and a dated table of prices: what runs whether or not anybody asks
// for it. What depends on use is left out and named. Pure.
import { replicaSizes } from "../../components/conventions.ts";
import type { Settings } from "../../config.ts";
import { ok, unknown, type Check, type Said } from "./finding.ts";
import type { Patient } from "./patient.ts";
import { prices, type Price } from "./prices.ts";

const hoursAMonth = 730, databaseGb = 32;

/** A month's dollars with all replicas idle and with all of them busy; what is missing has no price in the table. */
export interface Estimate {
  readonly idle: number;
  readonly busy: number;
  readonly missing: readonly string[];
  /** The prices that it was made of. */
  readonly from: readonly Price[];
}

/** Estimates what the stack's least replicas, its database and its registry cost a month. Free grants are not taken off: other apps of the subscription may use them up. */
export function estimate({ replicas, databaseSku, zoneRedundant, registry }: Pick<Settings, "replicas" | "databaseSku" | "zoneRedundant" | "registry">): Estimate {
  const sum = (of: (size: { readonly cpu: number; readonly gib: number }) => number): number =>
    replicas.storefrontMin * of(replicaSizes.storefront) + replicas.controlPlaneMin * of(replicaSizes.controlPlane);
  const seconds = hoursAMonth * 3600;
  const compute = (vcpu: Price): number => seconds * (sum(({ cpu }) => cpu) * vcpu.dollars + sum(({ gib }) => gib) * prices.gibSecond.dollars);
  const hour = prices.databaseHour[databaseSku], servers = zoneRedundant ? 2 : 1, isOurs = !registry.startsWith("/");
  const fixed = servers * ((hour?.dollars ?? 0) * hoursAMonth + databaseGb * prices.databaseGbMonth.dollars) + (isOurs ? (prices.registryDay.dollars * hoursAMonth) / 24 : 0);
  return {
    idle: fixed + compute(prices.vcpuIdleSecond), busy: fixed + compute(prices.vcpuBusySecond),
    missing: hour === undefined ? [`a database of size ${databaseSku}`] : [],
    from: [prices.vcpuBusySecond, prices.vcpuIdleSecond, prices.gibSecond, prices.databaseGbMonth, ...(hour ? [hour] : []), ...(isOurs ? [prices.registryDay] : [])],
  };
}

/** What a network of the stack's own adds to the bill, of which no price was found. */
const beside = ({ range, environmentSubnet }: Settings["network"]): string => (range || environmentSubnet ? ", the load balancer, addresses and private zones of the network" : "");

/** Says an estimate in words. One that lacks a price is no sum, so it is unknown. */
export function judgeCost({ idle, busy, missing, from }: Estimate, onTop = ""): Said {
  const days = from.map(({ readOn }) => readOn).sort(), regions = [...new Set(from.map(({ region }) => region))];
  const what = `${Math.round(idle)} to ${Math.round(busy)} US dollars a month at the least replicas, idle or busy, by prices of ${regions.join(" and ")} read between ${days[0]} and ${days.at(-1)}; requests, logs, traffic${onTop}, the switch and canaries come on top`;
  return missing.length > 0 ? unknown(`without ${missing.join(" and ")}, of which no price is known here: ${what}`) : ok(`estimated ${what}`);
}

/** The one check that asks nobody. */
export const costChecks: readonly Check<Patient>[] = [{ name: "cost", run: async ({ settings }) => judgeCost(estimate(settings), beside(settings.network)) }];
