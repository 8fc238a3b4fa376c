// The emulator's controls that the demo uses: request rows, logs of replicas, management requests, and
// killing replicas. Azure has none of them.
import { fetch, interceptors } from "undici";
import { tokenFor } from "../client/credential.ts";
import { fetchDispatcher } from "../connect-to.ts";
import type { Measured } from "../emulator/starvation.ts";
import { textOf } from "../http-answer.ts";
import type { CloudAddress } from "./ground.ts";

/** One request, as the ingress logged it. */
export interface Row {
  readonly StartTime: string;
  readonly RevisionName: string;
  readonly StatusCode: number;
  /** `via_upstream` if a replica answered; else why the ingress answered itself, or why nobody did. */
  readonly ResponseCodeDetails: string;
  readonly RequestId: string;
  readonly UserAgent: string;
}

/** One line that a replica logged. */
export interface LogLine {
  readonly revision: string;
  readonly text: string;
  readonly json?: { readonly injected?: string; readonly requestId?: string };
}

/** One management request to the emulator. */
export interface Asked {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  /** The traffic that the request sets, if it sets any. */
  readonly traffic?: readonly { readonly revisionName?: string; readonly weight?: number }[];
}

export interface Emulator {
  readonly rows: (app: string) => Promise<readonly Row[]>;
  readonly logs: (app: string) => Promise<readonly LogLine[]>;
  readonly asked: () => Promise<readonly Asked[]>;
  /** Gives the CPU that the emulator and each replica wanted and missed in each second since this was first asked. */
  readonly starvation: () => Promise<readonly Measured[]>;
  /** Kills the replica processes of an app with SIGKILL and returns their process ids. */
  readonly kill: (app: string) => Promise<readonly number[]>;
  readonly processes: () => Promise<readonly { readonly app: string; readonly pid: number | null }[]>;
}

/** Returns the controls of a running emulator. */
export function emulator({ suffix, port }: CloudAddress): Emulator {
  // On a machine with too little CPU a connection can take longer than undici waits. A read is then sent again.
  const readAgain = interceptors.retry({ methods: ["GET"], errorCodes: ["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_SOCKET"] });
  const dispatcher = fetchDispatcher({ suffix, host: "127.0.0.1", port }).compose(readAgain);
  const token = tokenFor("https://management.azure.com");
  const ask = async <Answer>(method: "GET" | "POST", route: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`https://management.${suffix}/_emulator/${route}`, {
      method,
      dispatcher,
      headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await textOf(answer.body, { bytesMax: 256 * 2 ** 20, seconds: 30 });
    if (!answer.ok) throw new Error(`the emulator answered ${answer.status} to ${route}: ${text}`);
    return JSON.parse(text) as Answer;
  };
  return {
    rows: async (app) => (await ask<{ rows: readonly Row[] }>("GET", `rows?app=${app}`)).rows,
    logs: async (app) => (await ask<{ lines: readonly LogLine[] }>("GET", `logs?app=${app}`)).lines,
    asked: async () => (await ask<{ requests: readonly Asked[] }>("GET", "requests")).requests,
    starvation: async () => (await ask<{ processes: readonly Measured[] }>("GET", "starvation")).processes,
    kill: async (app) => (await ask<{ pids: readonly number[] }>("POST", "kill", { app, signal: "SIGKILL" })).pids,
    processes: async () =>
      (await ask<{ processes: readonly { app: string; pid: number | null }[] }>("GET", "processes")).processes,
  };
}
