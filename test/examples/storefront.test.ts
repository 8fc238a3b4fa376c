// The storefront by itself: what it serves, what each fault does, and how it shuts down.
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openTelemetry } from "../../examples/storefront/telemetry.ts";
import { answerTimes } from "../../examples/storefront/times.ts";
import { eventually } from "../support/emulator/container-cloud.ts";
import { startEndless } from "../support/endless.ts";

interface Line {
  readonly listening?: net.AddressInfo;
  readonly injected?: string;
  readonly requestId?: string;
  readonly status?: number;
  readonly closing?: string;
  readonly release: string;
}

interface Shop {
  readonly lines: readonly Line[];
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** Null if no answer came within a second. */
  readonly get: (
    path: string,
    headers?: Record<string, string>,
  ) => Promise<{ readonly status: number; readonly text: string; readonly headers: http.IncomingHttpHeaders } | null>;
}

async function open(environment: Record<string, string> = {}): Promise<Shop> {
  const entry = new URL("../../examples/storefront/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [entry], {
    env: { PATH: process.env["PATH"], PORT: "0", RELEASE: "r7", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on("line", (text) => lines.push(JSON.parse(text) as Line));
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const port = (await eventually(
    () => lines[0]?.listening?.port,
    (found) => found !== undefined,
  ))!;
  return {
    lines,
    ended,
    kill: (signal) => void child.kill(signal),
    get: (path, headers = {}) =>
      new Promise((resolve) => {
        const request = http.get(
          { host: "127.0.0.1", port, path, headers, agent: false, signal: AbortSignal.timeout(1000) },
          (response) => {
            let text = "";
            response
              .setEncoding("utf8")
              .on("data", (chunk: string) => {
                text += chunk;
              })
              .on("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
          },
        );
        request.on("error", () => resolve(null));
      }),
  };
}

const statuses = async (shop: Shop, count: number): Promise<(number | undefined)[]> => {
  const found: (number | undefined)[] = [];
  for (let number = 0; number < count; number += 1)
    found.push((await shop.get("/products/5", { "x-request-id": `q${number}` }))?.status);
  return found;
};
const health = (shop: Shop): Promise<(number | undefined)[]> =>
  Promise.all(["live", "ready", "startup"].map(async (name) => (await shop.get(`/health/${name}`))?.status));

test("serves its catalogue as JSON and as a page, with its release and the request id", async () => {
  const shop = await open();
  const all = await shop.get("/", { "x-request-id": "mine" });
  expect(JSON.parse(all!.text)).toMatchObject({
    release: "r7",
    products: expect.arrayContaining([expect.objectContaining({ id: "5" })]),
  });
  expect(all!.headers["x-request-id"]).toBe("mine");
  expect((await shop.get("/", { accept: "text/html" }))!.text).toContain("<h1>Storefront</h1>");
  expect(JSON.parse((await shop.get("/products/5"))!.text).product.name).toBe("Mooring rope, 20 m");
  expect((await shop.get("/products/unicorn"))!.status).toBe(404);
  expect(await health(shop)).toEqual([200, 200, 200]);
  expect(shop.lines).toHaveLength(1);
});

test("errors: fails its share, the same requests for the same seed, and logs each with its request id", async () => {
  const environment = { FAULT: "errors", FAULT_PERCENT: "40", SEED: "5" };
  const [shop, twin] = [await open(environment), await open(environment)];
  const found = await statuses(shop, 60);
  expect(await statuses(twin, 60)).toEqual(found);
  const failed = found.flatMap((status, number) => (status === 500 ? [`q${number}`] : []));
  expect(failed.length).toBeGreaterThan(10);
  expect(failed.length).toBeLessThan(40);
  expect(shop.lines.slice(1).map(({ injected, requestId, status }) => ({ injected, requestId, status }))).toEqual(
    failed.map((requestId) => ({ injected: "errors", requestId, status: 500 })),
  );
  expect(await health(shop)).toEqual([200, 200, 200]);
});

test("slow: answers its share late but well", async () => {
  const shop = await open({ FAULT: "slow", FAULT_PERCENT: "100", FAULT_MILLISECONDS: "300" });
  const started = performance.now();
  expect((await shop.get("/"))!.status).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(290);
  expect(shop.lines.at(-1)).toMatchObject({ injected: "slow", status: 200 });
});

test("hang: user paths are never answered, health is", async () => {
  const shop = await open({ FAULT: "hang", FAULT_AFTER: "2" });
  expect(await statuses(shop, 3)).toEqual([200, 200, undefined]);
  expect(await health(shop)).toEqual([200, 200, 200]);
  expect(shop.lines.at(-1)).toMatchObject({ injected: "hang", requestId: "q2", status: 0 });
});

test("crash: exits at the request after the given number, and has logged it", async () => {
  const shop = await open({ FAULT: "crash", FAULT_AFTER: "3" });
  expect(await statuses(shop, 4)).toEqual([200, 200, 200, undefined]);
  expect(await shop.ended).toBe(1);
  expect(shop.lines.at(-1)).toMatchObject({ injected: "crash", requestId: "q3" });
});

test("never-ready: is live, but never started or ready", async () => {
  expect(await health(await open({ FAULT: "never-ready" }))).toEqual([200, 503, 503]);
});

test("an unknown fault keeps it from starting", async () => {
  const child = spawn(process.execPath, [new URL("../../examples/storefront/main.ts", import.meta.url).pathname], {
    env: { PATH: process.env["PATH"], FAULT: "erors" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += String(chunk);
  });
  const [code] = await once(child, "exit");
  expect(code).toBe(1);
  expect(said).toContain('FAULT has "erors"');
});

test("on SIGTERM it answers open requests, then exits with 0", async () => {
  const shop = await open({ FAULT: "slow", FAULT_PERCENT: "100", FAULT_MILLISECONDS: "400" });
  const underWay = shop.get("/");
  await eventually(
    () => shop.lines.at(-1)?.injected,
    (injected) => injected === "slow",
  );
  shop.kill("SIGTERM");
  expect((await underWay)!.status).toBe(200);
  expect(await Promise.race([shop.ended, pause(10_000, "still there", { ref: false })])).toBe(0);
});

test("reads no answer of the ingestion or of the identity endpoint without end, and goes on", async () => {
  await using ingestion = await startEndless({ overTls: true });
  await using identity = await startEndless();
  const telemetry = openTelemetry(
    `InstrumentationKey=11111111-2222-3333-4444-555555555555;IngestionEndpoint=${ingestion.url}/`,
    { OTEL_METRIC_EXPORT_INTERVAL: "100" },
  );
  for (const requests of [1, 2]) {
    telemetry.served({ method: "GET", route: "/", status: 200, milliseconds: 1 });
    await eventually(
      async () => ingestion.asked.length,
      (asked) => asked >= requests,
    );
  }
  await telemetry.close();
  const unsigned = openTelemetry(
    `InstrumentationKey=11111111-2222-3333-4444-555555555555;IngestionEndpoint=${ingestion.url}/`,
    { IDENTITY_ENDPOINT: identity.url, IDENTITY_HEADER: "h", TELEMETRY_IDENTITY: "i" },
  );
  unsigned.served({ method: "GET", route: "/", status: 200, milliseconds: 1 });
  await unsigned.close();
  expect(ingestion.sentMebibytes / ingestion.asked.length).toBeLessThan(16);
  expect(identity.asked).toContainEqual(expect.stringContaining("mi_res_id=i"));
  expect(identity.sentMebibytes / identity.asked.length).toBeLessThan(16);
});

test("takes no time of its own, or times around a median, the same ones for the same seed", () => {
  const timesOf = (environment: Record<string, string>): number[] =>
    Array.from({ length: 4_000 }, answerTimes(environment)).toSorted((one, other) => one - other);
  expect(timesOf({}).at(-1)).toBe(0);
  const times = timesOf({ ANSWER_MILLISECONDS: "40", SEED: "3" });
  const share = (most: number): number => times.filter((time) => time <= most).length / times.length;
  expect(share(40)).toBeCloseTo(0.5, 1);
  expect(share(3 * 40)).toBeCloseTo(0.95, 1);
  expect(timesOf({ ANSWER_MILLISECONDS: "40", SEED: "3" })).toEqual(times);
  expect(timesOf({ ANSWER_MILLISECONDS: "40", SEED: "4" })).not.toEqual(times);
  expect(() => answerTimes({ ANSWER_MILLISECONDS: "soon" })).toThrow('ANSWER_MILLISECONDS is "soon"');
});

test("answers after its time", async () => {
  const environment = { ANSWER_MILLISECONDS: "100" };
  const shop = await open(environment);
  const began = performance.now();
  expect((await shop.get("/"))!.status).toBe(200);
  // A timer may fire a millisecond early.
  expect(performance.now() - began).toBeGreaterThan(answerTimes(environment)() - 1);
});
