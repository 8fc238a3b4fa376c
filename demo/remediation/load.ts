// The users of one service: a constant rate of requests, none of them retried, and what came of them by second.
import { fetch } from "undici";
import { fetchDispatcher } from "../../connect-to.ts";
import { type LoadFailure, type LoadSecond, startLoad } from "../../emulator/load.ts";
import type { WantedSecond } from "../../emulator/starvation.ts";
import type { CloudAddress } from "../ground.ts";
import { requestsPerSecond } from "./incidents.ts";

/** The load on one service. */
export interface Load {
  /** Gives when a request first failed; undefined before. */
  readonly firstFailureAt: () => number | undefined;
  /** Counts the failed requests between two moments. */
  readonly failed: (from: number, to: number) => number;
  readonly stop: () => Promise<void>;
}

/** A user gives up after this time. */
const timeoutMilliseconds = 2_000;

/** Starts the load on an address. @param noteSecond hears of the CPU that the generator missed */
export function startUsers(
  { port, caFile }: CloudAddress,
  origin: string,
  noteSecond: (second: WantedSecond) => void,
): Load {
  const failures: number[] = [];
  const connectTo = { host: "127.0.0.1", port };
  const load = startLoad({ rate: requestsPerSecond, origin, connectTo, caFile, timeoutMilliseconds }, (line) => {
    if (isFailure(line)) failures.push(Date.now());
    else noteSecond(line);
  });
  return {
    firstFailureAt: () => failures[0],
    failed: (from, to) => failures.filter((at) => at >= from && at <= to).length,
    stop: async () => void (await load.stop()),
  };
}

/** Sends one request, as a user would. */
export async function visit({ suffix, port }: CloudAddress, url: string): Promise<void> {
  const dispatcher = fetchDispatcher({ suffix, host: "127.0.0.1", port });
  const answer = await fetch(url, { dispatcher });
  await answer.body?.cancel();
}

const isFailure = (line: LoadFailure | LoadSecond): line is LoadFailure => line.kind === "failure";
