// One side of a pair of the emulator's benchmark: runs the emulator of the checkout that it is told, measures one part,
// and prints the figures as one line of JSON. The load generator is this checkout's on both sides.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startLoad } from "../../emulator/load.ts";
import type * as clouds from "../../test/support/emulator/cloud.ts";
import type * as stacks from "../../test/support/program/local-stack.ts";

/** The figures of one part, by name. */
export type Measured = { readonly [name: string]: number };

const [part, folder = "", rate, seconds] = process.argv.slice(2);
const support = join(folder, "test", "support");

/** Sends requests through the ingress to an app of one small program. */
async function measureLoad(): Promise<Measured> {
  const { startCloudForTests } = (await import(join(support, "emulator", "cloud.ts"))) as typeof clouds;
  const at = await startCloudForTests();
  try {
    const group = `/subscriptions/${at.cloud.subscription}/resourceGroups/bench`;
    const apps = `${group}/providers/Microsoft.App`;
    const version = "?api-version=2025-07-01";
    await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
    await at.settle("PUT", `${apps}/managedEnvironments/bench${version}`, { location: "westeurope", properties: {} });
    await at.settle("PUT", `${apps}/containerApps/web${version}`, {
      location: "westeurope",
      properties: {
        managedEnvironmentId: `${apps}/managedEnvironments/bench`,
        configuration: { ingress: { external: true, targetPort: 8080 } },
        template: {
          containers: [{ name: "web", image: "registry.example/web:1" }],
          scale: { minReplicas: 1, maxReplicas: 1 },
        },
      },
    });
    const { fqdn } = (await at.ask("GET", `${apps}/containerApps/web${version}`)).body.properties.configuration.ingress;
    const origin = `https://${fqdn}`;
    const deadline = Date.now() + 30_000;
    while ((await at.ask("GET", origin)).status !== 200) {
      if (Date.now() > deadline) throw new Error("the app is not ready after 30 seconds");
      await pause(100);
    }
    const cpuBefore = process.cpuUsage();
    const connectTo = { host: "127.0.0.1", port: at.cloud.port };
    const load = startLoad({ rate: Number(rate), origin, connectTo, caFile: at.cloud.caFile });
    await pause(Number(seconds) * 1000);
    const summary = await load.stop();
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      "answers a second": summary.answered / summary.seconds,
      "failed requests": summary.failed,
      "requests that the generator skipped": summary.skipped,
      "median in ms": summary.p50Milliseconds,
      "99th percentile in ms": summary.p99Milliseconds,
      "CPU in ms of a request": (user + system) / 1000 / Math.max(1, summary.answered),
    };
  } finally {
    await at.close();
  }
}

/**
 * Deploys Ballast's whole program to an empty cloud, then again without a change. Each side deploys the program of its
 * own commit, so that the requests are counted: a program that grew sends more.
 */
async function measureUp(): Promise<Measured> {
  const { startLocalStack } = (await import(join(support, "program", "local-stack.ts"))) as typeof stacks;
  const stack = await startLocalStack({});
  const timed = async (): Promise<number> => {
    const start = performance.now();
    const { code, output } = await stack.up();
    if (code !== 0) throw new Error(`pulumi up failed: ${output.slice(-2_000)}`);
    return (performance.now() - start) / 1000;
  };
  try {
    const cpuBefore = process.cpuUsage();
    const first = await timed();
    const { user, system } = process.cpuUsage(cpuBefore);
    const requests: number = (await stack.cloud.ask("GET", "/_emulator/requests")).body.requests.length;
    return {
      "first up in s": first,
      requests,
      "CPU in s of the emulator": (user + system) / 1e6,
      "CPU in ms of a request": (user + system) / 1000 / requests,
      "next up in s": await timed(),
    };
  } finally {
    await stack.close();
  }
}

const measured = await (part === "up" ? measureUp() : measureLoad());
process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0));
