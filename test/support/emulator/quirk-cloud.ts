// Helpers of the tests of quirks on the smallest cloud: releases of one app, what its clients
// see, and a run with and without a quirk.
import type { Body } from "../../../emulator/arm/resource.ts";
import type { QuirkName } from "../../../emulator/controls/quirks.ts";
import { type ContainerCloud, containerCloud, domain, eventually, storefrontApp } from "./container-cloud.ts";

const folder = new URL("./", import.meta.url).pathname;
/** The app's host name. */
export const host = `shop.${domain}`;
/** Gives the latest revision's name. */
export const latest = (app: Body): string => app["properties"].latestRevisionName;
/** Writes a release of the app and gives its revision's name. */
export const release = async (
  c: ContainerCloud,
  variables: Record<string, string>,
  more: Parameters<typeof storefrontApp>[1] = {},
): Promise<string> => latest(await c.apply("shop", storefrontApp(variables, more)));
/** Waits until a revision is healthy. */
export const ready = (c: ContainerCloud, revision: string): Promise<Body> =>
  eventually(
    () => c.revision("shop", revision),
    ({ healthState }) => healthState === "Healthy",
  );
/** Patches the app's traffic. */
export const shift = (c: ContainerCloud, ...traffic: readonly Body[]): Promise<Body> =>
  c.apply("shop", { configuration: { ingress: { traffic } } }, { merge: true });
/** Gives the code of a refusal, or `accepted`. */
export const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "accepted",
    (error: { code?: string }) => error.code ?? String(error),
  );
/** Gives the release that answers at a host, or the status of a failure. */
export const answers = async (c: ContainerCloud, at = host): Promise<string> => {
  const { status, text } = await c.request(at);
  return status === 200 ? JSON.parse(text).release : String(status);
};
/** Gives the app's traffic as a read shows it. */
export const entriesOf = (c: ContainerCloud): readonly Body[] =>
  c.app("shop")["properties"].configuration.ingress.traffic;
/** Gives the names of the app's revisions. */
export const names = async (c: ContainerCloud): Promise<string[]> =>
  ((await c.child("shop", "GET", "revisions"))!.body as Body)["value"].map(({ name }: Body) => name);

/** Gives a running clock that a test can move ahead. */
export function clock(): { readonly now: () => number; readonly skip: (seconds: number) => void } {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    skip: (seconds) => {
      ahead += seconds * 1000;
    },
  };
}

/** Runs the same twice on fresh clouds, with the quirk and without, and gives what was seen each time. */
export async function bothWays(
  name: QuirkName,
  look: (c: ContainerCloud, time: ReturnType<typeof clock>) => Promise<unknown>,
): Promise<{ readonly azure: unknown; readonly naive: unknown }> {
  const seen: unknown[] = [];
  for (const inForce of [true, false]) {
    const time = clock();
    await using c = await containerCloud(
      { moody: { folder, entry: "moody.mjs" }, broken: { folder: "/", entry: "/nothing-here.js" } },
      time.now,
      { [name]: inForce },
    );
    seen.push(await look(c, time));
  }
  return { azure: seen[0], naive: seen[1] };
}

/** Gives an app whose container never starts. */
export const brokenApp = (
  variables: Record<string, string> = {},
  more: Parameters<typeof storefrontApp>[1] = {},
): Body => {
  const properties = storefrontApp(variables, more);
  properties["template"].containers[0].image = "broken:1";
  return properties;
};
