// The process behind `ballast local up`: one stand-in cloud, and on request a PostgreSQL, that outlive the shell they were started from.
// It gets its wishes from `up` and tells it once whether they came true; from then on it listens to signals alone. Whatever it started ends
// with it, however it ends: replicas and PostgreSQL have keepers of their own.
import { once } from "node:events";
import { rmSync } from "node:fs";
import net from "node:net";
import type { LocalCloudOptions } from "../../emulator/arm/resource.ts";
import { replaceFile, UnreadableState } from "../../emulator/persistence/lines-file.ts";
import { readCharter } from "../../emulator/persistence/state.ts";
import { type LocalCloud, startLocalCloud } from "../../emulator/start.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { localPortKept, localPortTaken, localStateUnreadable } from "../../errors/cli.ts";
import { startPostgres } from "../../toolchain/postgres.ts";
import { claim, fileIn } from "./folder.ts";

/** What `up` asks for. */
export interface Wishes {
  readonly images: LocalCloudOptions["images"];
  readonly port?: number;
  readonly postgres: boolean;
}

/** What it is told: nothing went wrong, or what did. A failure without an error has its words in the log. */
export interface Outcome {
  readonly failed?: { readonly error?: Pick<BallastError, "id" | "message" | "fix" | "left"> };
}

const folder = process.argv[2] ?? "";
const ends: (() => unknown)[] = [];
const endAll = async (): Promise<void> => {
  for (const end of ends.splice(0).reverse()) await end();
};
/** Says it to `up`; false where that is no longer there. */
const tell = (outcome: Outcome): Promise<boolean> =>
  new Promise((resolve) =>
    process.connected ? process.send!(outcome, (error: Error | null) => resolve(!error)) : resolve(false),
  );

async function begin({ images, port, postgres: wantsPostgres }: Wishes): Promise<void> {
  const claimed = claim(folder);
  ends.push(() => rmSync(fileIn(folder, "running.json"), { force: true }));
  await refuseWrongPorts(port);
  const postgres = wantsPostgres ? await startPostgres() : undefined;
  if (postgres) ends.push(postgres.stop);
  const cloud = await startLocalCloud({
    folder,
    keep: true,
    images,
    ...(port ? { port } : {}),
    ...(postgres && { postgres }),
  }).catch((error: unknown) => {
    throw error instanceof UnreadableState ? localStateUnreadable({ reason: error.message }) : error;
  });
  ends.push(cloud.close);
  const { close: _, ...address } = cloud;
  replaceFile(
    fileIn(folder, "environment"),
    Object.entries(environmentOf(address, postgres))
      .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
      .join(""),
  );
  replaceFile(
    fileIn(folder, "running.json"),
    JSON.stringify({
      ...claimed,
      cloud: address,
      ...(postgres && { postgres: { host: postgres.host, port: postgres.port } }),
    }),
  );
}

/** By the address alone a program finds the sign-in too, whatever it knows of names; ours know them as well. */
const environmentOf = (
  { environment, port }: Pick<LocalCloud, "environment" | "port">,
  postgres: { readonly port: number } | undefined,
): Record<string, string> => ({
  ...environment,
  AZURE_SUBSCRIPTION_ID: environment["ARM_SUBSCRIPTION_ID"]!,
  AZURE_AUTHORITY_HOST: `https://127.0.0.1:${port}`,
  BALLAST_LOCAL_ENDPOINT: `https://127.0.0.1:${port}`,
  ...(postgres && { BALLAST_LOCAL_DATABASE_PORT: String(postgres.port) }),
});

/** Refuses in our words before anything is started; later the system's own would have to do. */
async function refuseWrongPorts(asked: number | undefined): Promise<void> {
  let charter: ReturnType<typeof readCharter>;
  try {
    charter = readCharter(folder);
  } catch (error) {
    throw localStateUnreadable({ reason: (error as Error).message });
  }
  if (charter && asked && asked !== charter.port) throw localPortKept({ asked, port: charter.port, folder });
  for (const port of charter ? [charter.port, charter.providerPort] : asked ? [asked] : []) {
    if (!(await isFree(port))) throw localPortTaken({ port, kept: charter !== undefined });
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = net.createServer().once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });

async function main(): Promise<void> {
  const stopped = Promise.race(["SIGTERM", "SIGINT"].map((signal) => once(process, signal)));
  const [wishes] = (await once(process, "message")) as [Wishes];
  try {
    await begin(wishes);
  } catch (error) {
    await endAll();
    if (!(error instanceof BallastError)) console.error(error);
    await tell({
      failed:
        error instanceof BallastError
          ? { error: { id: error.id, message: error.message, fix: error.fix, left: error.left } }
          : {},
    });
    process.exit(1);
  }
  // Where `up` was broken off in the meantime, nobody knows of us, and nobody would ever stop us.
  if (await tell({})) await stopped;
  await endAll();
  process.exit(0);
}

await main();
