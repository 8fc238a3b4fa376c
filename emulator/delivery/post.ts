// Sends one delivery to a receiver on loopback: by address, or by one of the emulator's own names, which lead to its
// port.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import type { Cloud } from "../arm/resource.ts";

/** What came of an attempt. Without an answer the status is 0, and the reason says why. */
export interface Posted {
  readonly status: number;
  readonly reason?: string;
  /** The start of the answer's body. */
  readonly text?: string;
  readonly headers?: http.IncomingHttpHeaders;
}

/** A request to a receiver. */
export interface Sent {
  readonly to: string;
  /** @default "POST" */
  readonly method?: "POST" | "OPTIONS";
  readonly body: string;
  readonly headers: { readonly [name: string]: string };
}

const addresses = ["127.0.0.1", "localhost", "[::1]"];

/** Reports whether a receiver is on this machine, by its address or by one of the emulator's names. */
export function isLoopback(to: string, suffix: string): boolean {
  if (!URL.canParse(to)) return false;
  const { protocol, hostname } = new URL(to);
  if (protocol !== "http:" && protocol !== "https:") return false;
  return addresses.includes(hostname) || hostname.endsWith(`.${suffix}`);
}

const textMax = 65_536;

/** Sends a request, by default a POST, and gives the answer. Trouble of any kind is a value. */
export function post(
  cloud: Cloud,
  { to, method = "POST", body, headers }: Sent,
  answerSeconds: number,
): Promise<Posted> {
  const url = new URL(to);
  const isOurs = url.hostname.endsWith(`.${cloud.suffix}`);
  const options: https.RequestOptions = {
    method,
    host: isOurs ? "127.0.0.1" : url.hostname.replace(/[[\]]/g, ""),
    port: isOurs ? cloud.port : url.port || (url.protocol === "https:" ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    headers: {
      "content-type": "application/json",
      ...headers,
      host: url.host,
      "content-length": Buffer.byteLength(body),
    },
    agent: false,
    signal: AbortSignal.timeout(answerSeconds * 1000),
  };
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, reason: error.message });
    const answered = (response: http.IncomingMessage): void => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        if (text.length < textMax) text += part;
      });
      response.once("error", failed);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    };
    const request =
      url.protocol === "https:"
        ? https.request({ ...options, servername: url.hostname, ca: authorityOf(cloud) }, answered)
        : http.request(options, answered);
    request.once("error", failed).end(body);
  });
}

const authorityOf = (cloud: Cloud): string => readFileSync(path.join(cloud.options.folder, "ca.pem"), "utf8");
