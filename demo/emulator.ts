// The stand-in's own controls, as the demo uses them: who answered which request, what replicas logged, killing a process.
// Nothing here exists on Azure.
import { fetch } from "undici";
import { tokenFor } from "../client/credential.ts";
import { fetchDispatcher } from "../connect-to.ts";
import type { CloudAddress } from "./ground.ts";

/** One request as the ingress saw it. */
export interface Row {
  readonly StartTime: string;
  readonly RevisionName: string;
  readonly StatusCode: number;
  readonly RequestId: string;
  readonly UserAgent: string;
}

/** One line that a replica logged. */
export interface LogLine {
  readonly revision: string;
  readonly text: string;
  readonly json?: { readonly injected?: string; readonly requestId?: string };
}

/** One management request that the stand-in was sent. */
export interface Asked {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  /** Who gets how much, where the request says so. */
  readonly traffic?: readonly { readonly revisionName?: string; readonly weight?: number }[];
}

export interface StandIn {
  readonly rows: (app: string) => Promise<readonly Row[]>;
  readonly logs: (app: string) => Promise<readonly LogLine[]>;
  readonly asked: () => Promise<readonly Asked[]>;
  /** Kills the replica processes of an app with SIGKILL and gives their process ids. */
  readonly kill: (app: string) => Promise<readonly number[]>;
  readonly processes: () => Promise<readonly { readonly app: string; readonly pid: number | null }[]>;
}

/** Gives the controls of a running stand-in. */
export function standIn({ suffix, port }: CloudAddress): StandIn {
  const dispatcher = fetchDispatcher({ suffix, host: "127.0.0.1", port });
  const token = tokenFor("https://management.azure.com");
  const ask = async <Answer>(method: "GET" | "POST", route: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`https://management.${suffix}/_standin/${route}`, {
      method,
      dispatcher,
      headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`the stand-in answered ${answer.status} to ${route}: ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };
  return {
    rows: async (app) => (await ask<{ rows: readonly Row[] }>("GET", `rows?app=${app}`)).rows,
    logs: async (app) => (await ask<{ lines: readonly LogLine[] }>("GET", `logs?app=${app}`)).lines,
    asked: async () => (await ask<{ requests: readonly Asked[] }>("GET", "requests")).requests,
    kill: async (app) => (await ask<{ pids: readonly number[] }>("POST", "kill", { app, signal: "SIGKILL" })).pids,
    processes: async () =>
      (await ask<{ processes: readonly { app: string; pid: number | null }[] }>("GET", "processes")).processes,
  };
}
