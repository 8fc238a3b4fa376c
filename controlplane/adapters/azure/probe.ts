// One request to a revision's own address, for smoke tests and probes. No answer is an observation here, never a
// failure; the engine decides what it means.
import https from "node:https";
import type { ProbeView } from "../../../engines/rollout/vocabulary.ts";

/** The most of a body that a probe reads, so that an endless answer cannot block it. */
const bodyBytesMax = 64 * 1024;

/** Sends one request and reports the result. Good is a status below 400 with an answer that was complete in time. */
export function probeAddress(
  agent: https.Agent,
  host: string,
  path: string,
  timeoutSeconds: number,
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
    const request = https.get({ host, path, agent, signal, headers: { "user-agent": "ballast-probe" } }, (response) => {
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
          good: whole && status >= 200 && status < 400,
          detail: `answered ${status}${whole ? "" : ", cut off"}`,
        });
      });
    });
    request.on("error", failed);
  });
}
