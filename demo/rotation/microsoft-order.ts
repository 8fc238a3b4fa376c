// The control run: a password that changes in the order of Microsoft's sample for one set of credentials, under the
// same clients. The vault gets the new password first and the database a moment later, and each client learns of it
// when it reads again.
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { WantedSecond } from "../../emulator/starvation.ts";
import type { Estate } from "./estate.ts";
import { failuresOf, readsEvery, startReaders, usualReaders } from "./load.ts";
import { everyMilliseconds } from "./places.ts";
import type { ReaderOptions } from "./reader.ts";

/** What a run under some order came to. */
export interface ControlRun {
  readonly logins: number;
  readonly failedLogins: number;
  readonly cutQueries: number;
  readonly passwordChanges: number;
  readonly seconds: number;
}

/** The time between the two writes. Microsoft's tutorial says that there is one, and not how long it is. */
const lagMilliseconds = 300;
const secret = "control";
const role = "control";

/** Stand for an app's replicas: a platform that notices a new version gives it to them later than to a reader. */
const replicas: readonly ReaderOptions[] = [1, 2].map((index) => ({
  who: `replica-${index}`,
  pooled: false,
  everyMilliseconds,
  rereads: readsEvery(5_000, index / 3),
}));

/** Rotates a credential of its own in that order, under ten clients, until each of them logs in again. */
export async function runMicrosoftOrder(
  estate: Estate,
  noteSecond: (second: WantedSecond) => void,
): Promise<ControlRun> {
  const { admin, secrets, credential } = estate;
  const urlFor = (password: string): string =>
    `postgresql://${role}:${password}@${credential.server}:${credential.port}/${credential.database}`;
  const setPassword = (password: string) =>
    admin(`alter role ${role} with login password ${pg.escapeLiteral(password)}`);
  const first = crypto.randomUUID();
  await admin(`create role ${role}`);
  await admin(`grant select on orders to ${role}`);
  await setPassword(first);
  await secrets.setSecret(secret, urlFor(first));
  const processes = [...usualReaders, replicas].map((readers) => startReaders(estate, secret, readers, noteSecond));
  try {
    await Promise.all(processes.map(({ ready }) => ready()));
    const began = performance.now();
    await pause(1_000);
    const next = crypto.randomUUID();
    await secrets.setSecret(secret, urlFor(next));
    await pause(lagMilliseconds);
    await setPassword(next);
    await pause(6_000);
    const counts = processes.map((each) => each.counts);
    return {
      logins: counts.reduce((sum, { logins }) => sum + logins, 0),
      failedLogins: failuresOf(counts, "login").length,
      cutQueries: failuresOf(counts, "cut").length,
      passwordChanges: 1,
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await Promise.all(processes.map(({ stop }) => stop()));
  }
}
