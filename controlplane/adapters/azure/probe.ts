// One request to a revision's own address, for smoke tests and probes. No answer is an observation here, never a
// failure; the engine decides what it means.
import https from "node:https";
import type { ProbeRequest } from "../../../engines/rollout/probe-request.ts";
import type { ProbeView, RolloutEffect } from "../../../engines/rollout/vocabulary.ts";

/** The most of a body that a probe reads, so that an endless answer cannot block it. */
const bodyBytesMax = 64 * 1024;

/** What a probe asks, and how long it waits. */
type Asked = Pick<Extract<RolloutEffect, { kind: "Probe" }>, "path" | "request" | "timeoutSeconds">;

/** Sends one request and reports the result. Good is an expected status with an answer that was complete in time. */
export function probeAddress(
  agent: https.Agent,
  host: string,
  { path, request: wanted = {}, timeoutSeconds }: Asked,
  cancel: AbortSignal,
): Promise<Omit<ProbeView, "running">> {
  const signal = AbortSignal.any([cancel, AbortSignal.timeout(timeoutSeconds * 1000)]);
  return new Promise((resolve) => {
    const failed = (error: Error & { code?: string }): void => {
      resolve({
        good: false,
        detail: signal.aborted ? `no answer in ${timeoutSeconds} s` : `no answer (${error.code ?? "connection lost"})`,
      });
    };
    const request = https.get({ host, path, agent, signal, headers: headersOf(wanted) }, (response) => {
      let bytes = 0;
      response.on("error", failed);
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bodyBytesMax) response.destroy();
      });
      response.on("close", () => {
        const status = response.statusCode ?? 0;
        const whole = response.complete || bytes > bodyBytesMax;
        resolve({
          good: whole && isExpected(status, wanted),
          detail: `answered ${status}${whole ? "" : ", cut off"}`,
        });
      });
    });
    request.on("error", failed);
  });
}

/** Azure routes by `Host`, so the app's public one is sent in the header by which proxies pass it on. */
const headersOf = ({ host, headers = [] }: ProbeRequest): Record<string, string> => ({
  "user-agent": "ballast-probe",
  ...(host && { "x-forwarded-host": host }),
  ...Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value])),
});

/** A redirect proves nothing: an app may redirect each host but its own, whatever is broken behind. */
const isExpected = (status: number, { statuses }: ProbeRequest): boolean =>
  statuses === undefined ? status >= 200 && status < 300 : statuses.includes(status);
