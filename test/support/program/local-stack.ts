// Ballast's own program under the real Pulumi CLI, on the emulator with a real PostgreSQL, as `npm start` runs it. All
// files are in a temporary folder; the clone stays unchanged.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { images } from "../../../demo/ground.ts";
import { createStack, type Stack } from "../../../demo/stack.ts";
import { type RunningPostgres, startPostgres } from "../../../toolchain/postgres.ts";
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";
import { type CloudForTests, management, startCloudForTests } from "../emulator/cloud.ts";

export interface LocalStack
  extends Pick<Stack, "onState" | "pulumi" | "up" | "outputs" | "configure" | "setSecret" | "lend"> {
  readonly cloud: CloudForTests;
  /** The folder of the state, the Pulumi CLI's home and the stack's file. */
  readonly folder: string;
  readonly postgres: RunningPostgres;
  /** Returns the live app, or what is below it at `rest`, as Azure shows it. */
  readonly live: (app: string, rest?: string) => Promise<any>;
  readonly patchTraffic: (app: string, traffic: readonly object[]) => Promise<void>;
  /** Activates a revision, as a person does before giving it traffic. */
  readonly activate: (app: string, revision: string) => Promise<void>;
  /** Sends a user's request to the app and returns the status. */
  readonly visit: (origin: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

/**
 * Starts everything and creates the stack; nothing is deployed yet. `run` maps
 * images to folders, by default the sources.
 */
export async function startLocalStack(
  config: Readonly<Record<string, unknown>>,
  run: typeof images = images,
): Promise<LocalStack> {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-stack-"));
  mkdirSync(path.join(folder, "state"));
  const [pulumiCli, postgres] = await Promise.all([bringPulumi(), startPostgres()]);
  const { host, port, user, password } = postgres;
  const cloud = await startCloudForTests({ images: run, postgres: { host, port, user, password } });
  const stop = new AbortController();
  const close = async (): Promise<void> => {
    stop.abort();
    await cloud.close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const stack = await createStack({ pulumiCli, postgres, cloud: cloud.cloud, folder }, stop.signal).catch(
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  stack.configure(config);

  const appPath = (app: string): string =>
    `/subscriptions/${cloud.cloud.subscription}/resourceGroups/ballast-local/providers/` +
    `Microsoft.App/containerApps/${app}`;
  return {
    ...stack,
    cloud,
    folder,
    postgres,
    close,
    live: async (app, rest = "") =>
      (await cloud.ask("GET", `${management}${appPath(app)}${rest}?api-version=2025-07-01`)).body,
    patchTraffic: async (app, traffic) => {
      const { status } = await cloud.settle("PATCH", `${management}${appPath(app)}?api-version=2025-07-01`, {
        properties: { configuration: { ingress: { traffic } } },
      });
      if (status >= 400) throw new Error(`the traffic of ${app} was refused with ${status}`);
    },
    activate: async (app, revision) => {
      const at = `${management}${appPath(app)}/revisions/${revision}/activate?api-version=2025-07-01`;
      const { status } = await cloud.ask("POST", at);
      if (status >= 400) throw new Error(`${revision} was not activated: ${status}`);
    },
    visit: (origin) =>
      new Promise((resolve, reject) => {
        https
          .get(origin, { agent: cloud.agent, timeout: 10_000 }, (response) => resolve(response.resume().statusCode!))
          .on("error", reject);
      }),
  };
}
