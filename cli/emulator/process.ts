// The process behind `ballast emulator up`: an emulator, and on request a PostgreSQL, which outlive the shell that
// started them. It receives its start request from `up` and reports the outcome once; after that it only listens for
// signals. All that it started ends with it, even when it is killed, because replicas and PostgreSQL have keeper
// processes of their own.
import { once } from "node:events";
import { rmSync } from "node:fs";
import net from "node:net";
import type { EmulatorOptions } from "../../emulator/arm/resource.ts";
import { replaceFile, UnreadableState } from "../../emulator/persistence/lines-file.ts";
import { readCharter } from "../../emulator/persistence/state.ts";
import { type RunningEmulator, startEmulator } from "../../emulator/start.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { emulatorPortKept, emulatorPortTaken, emulatorStateUnreadable } from "../../errors/cli.ts";
import { startPostgres } from "../../toolchain/postgres.ts";
import { claim, fileIn } from "./folder.ts";

/** What `up` asks the process to start. */
export interface StartRequest {
  readonly images: EmulatorOptions["images"];
  readonly port?: number;
  readonly postgres: boolean;
}

/** The outcome of the start: nothing failed, or what did. For a failure without an error, see the log. */
export interface StartOutcome {
  readonly failed?: { readonly error?: Pick<BallastError, "id" | "message" | "fix" | "left" | "exitCode"> };
}

const folder = process.argv[2] ?? "";
const ends: (() => unknown)[] = [];
const endAll = async (): Promise<void> => {
  for (const end of ends.splice(0).reverse()) await end();
};
/** Reports the outcome to `up`; gives false if `up` is no longer there. */
const report = (outcome: StartOutcome): Promise<boolean> =>
  new Promise((resolve) =>
    process.connected ? process.send!(outcome, (error: Error | null) => resolve(!error)) : resolve(false),
  );

async function start({ images, port, postgres: wantsPostgres }: StartRequest): Promise<void> {
  const claimed = claim(folder);
  ends.push(() => rmSync(fileIn(folder, "running.json"), { force: true }));
  await checkPorts(port);
  const postgres = wantsPostgres ? await startPostgres() : undefined;
  if (postgres) ends.push(postgres.stop);
  const cloud = await startEmulator({
    folder,
    keep: true,
    images,
    ...(port ? { port } : {}),
    ...(postgres && { postgres }),
  }).catch((error: unknown) => {
    throw error instanceof UnreadableState ? emulatorStateUnreadable({ reason: error.message }) : error;
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

/**
 * Gives the variables that programs need.
 *
 * The addresses work without name resolution; the emulator's names work too.
 */
const environmentOf = (
  { environment, port }: Pick<RunningEmulator, "environment" | "port">,
  postgres: { readonly port: number } | undefined,
): Record<string, string> => ({
  ...environment,
  AZURE_SUBSCRIPTION_ID: environment["ARM_SUBSCRIPTION_ID"]!,
  AZURE_AUTHORITY_HOST: `https://127.0.0.1:${port}`,
  BALLAST_EMULATOR_ENDPOINT: `https://127.0.0.1:${port}`,
  ...(postgres && { BALLAST_EMULATOR_DATABASE_PORT: String(postgres.port) }),
});

/**
 * Checks the ports before anything is started, so that a wrong one is reported as an error of the catalogue.
 *
 * @throws cli-emulator-port-kept, cli-emulator-port-taken, cli-emulator-state-unreadable
 */
async function checkPorts(asked: number | undefined): Promise<void> {
  let charter: ReturnType<typeof readCharter>;
  try {
    charter = readCharter(folder);
  } catch (error) {
    throw emulatorStateUnreadable({ reason: (error as Error).message });
  }
  if (charter && asked && asked !== charter.port) throw emulatorPortKept({ asked, port: charter.port, folder });
  const chosen = asked ? [asked] : [];
  for (const port of charter ? [charter.port, charter.providerPort] : chosen) {
    if (!(await isFree(port))) throw emulatorPortTaken({ port, kept: charter !== undefined });
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = net.createServer().once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });

function outcomeOf(error: unknown): StartOutcome {
  if (!(error instanceof BallastError)) return { failed: {} };
  const { id, message, fix, left, exitCode } = error;
  return { failed: { error: { id, message, fix, left, exitCode } } };
}

async function main(): Promise<void> {
  const stopped = Promise.race(["SIGTERM", "SIGINT"].map((signal) => once(process, signal)));
  const [request] = (await once(process, "message")) as [StartRequest];
  try {
    await start(request);
  } catch (error) {
    await endAll();
    if (!(error instanceof BallastError)) console.error(error);
    await report(outcomeOf(error));
    process.exit(1);
  }
  // If `up` was interrupted, no command knows of this process and could stop it, so it ends.
  if (await report({})) await stopped;
  await endAll();
  process.exit(0);
}

await main();
