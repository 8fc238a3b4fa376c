// Passwords that change in the orders of other tools, under the clients of a rotation, so that a number of failed
// logins means something. Each order has roles and a secret of its own; its clients learn of a password when they read
// again.
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { WantedSecond } from "../../emulator/starvation.ts";
import type { Estate } from "./estate.ts";
import { failuresOf, readsEvery, startReaders, usualReaders } from "./load.ts";
import { everyMilliseconds } from "./places.ts";
import type { ReaderOptions } from "./reader.ts";

/** What an order may do. */
export interface Hands {
  /** Gives a role of this run a password, on the server. */
  readonly setPassword: (role: "one" | "other", password: string) => Promise<unknown>;
  /** Puts the URL of a role with a password into the vault, for all clients. */
  readonly publish: (role: "one" | "other", password: string) => Promise<unknown>;
  readonly rest: (milliseconds: number) => Promise<unknown>;
}

/** An order in which a password changes. */
export interface Order {
  readonly name: string;
  /** Changes the password of the role `one`, or goes over to the role `other`. */
  readonly rotate: (hands: Hands) => Promise<void>;
}

/** What a run under some order came to. */
export interface OrderRun {
  readonly logins: number;
  readonly failedLogins: number;
  readonly cutQueries: number;
  readonly passwordChanges: number;
  /** From the first to the last failed login. */
  readonly outageSeconds: number;
  /** From the publication until the last client used what was published. */
  readonly adoptionSeconds: number;
  /** How long the order itself took. */
  readonly seconds: number;
}

/** Microsoft's sample for one set of credentials: the vault first. Its tutorial says that there is a lag. */
export const microsoftOrder: Order = {
  name: "Microsoft's sample, the vault first",
  rotate: async ({ setPassword, publish, rest }) => {
    const password = crypto.randomUUID();
    await publish("one", password);
    await rest(lagMilliseconds);
    await setPassword("one", password);
  },
};

/** Between the two writes of an order, in the research that the evidence names. */
export const lagMilliseconds = 300;

/** Stand for an app's replicas: a platform that notices a new version gives it to them later than to a reader. */
const replicas: readonly ReaderOptions[] = [1, 2].map((index) => ({
  who: `replica-${index}`,
  pooled: false,
  everyMilliseconds,
  rereads: readsEvery(5_000, index / 3),
}));

/** Long enough for every client to have read again. */
const settleMilliseconds = 6_000;
let runs = 0;

/** Rotates a credential of its own in an order, under ten clients, until each of them has read again. */
export async function runOrder(
  estate: Estate,
  order: Order,
  noteSecond: (second: WantedSecond) => void = () => undefined,
): Promise<OrderRun> {
  const run = `control${++runs}`;
  const { admin, secrets, credential } = estate;
  let passwordChanges = 0;
  let publishedAt = 0;
  const hands: Hands = {
    rest: pause,
    setPassword: (role, password) => {
      passwordChanges += 1;
      return admin(`alter role ${run}_${role} with login password ${pg.escapeLiteral(password)}`);
    },
    publish: async (role, password) => {
      const { server, port, database } = credential;
      await secrets.setSecret(run, `postgresql://${run}_${role}:${password}@${server}:${port}/${database}`);
      publishedAt = Date.now();
    },
  };
  for (const role of ["one", "other"] as const) {
    await admin(`create role ${run}_${role}; grant select on orders to ${run}_${role}`);
    await hands.setPassword(role, crypto.randomUUID());
  }
  const first = crypto.randomUUID();
  await hands.setPassword("one", first);
  await hands.publish("one", first);
  passwordChanges = 0;
  const processes = [...usualReaders, replicas].map((readers) => startReaders(estate, run, readers, noteSecond));
  try {
    await Promise.all(processes.map(({ ready }) => ready()));
    await pause(1_000);
    const began = performance.now();
    await order.rotate(hands);
    const seconds = (performance.now() - began) / 1000;
    await pause(settleMilliseconds);
    const counts = processes.map((each) => each.counts);
    const failedAt = failuresOf(counts, "login").map(({ at }) => at);
    const adoptedAt = counts.flatMap(({ adoptions }) => adoptions.map(({ at }) => at));
    return {
      logins: counts.reduce((sum, { logins }) => sum + logins, 0),
      failedLogins: failedAt.length,
      cutQueries: failuresOf(counts, "cut").length,
      passwordChanges,
      outageSeconds: failedAt.length === 0 ? 0 : (Math.max(...failedAt) - Math.min(...failedAt)) / 1000,
      adoptionSeconds: Math.max(0, ...adoptedAt.map((at) => at - publishedAt)) / 1000,
      seconds,
    };
  } finally {
    await Promise.all(processes.map(({ stop }) => stop()));
  }
}
