// `ballast emulator traffic <app>`: sends requests to an app of the emulator at a fixed rate, and prints every second
// which revisions answered. The requests are real and go through the ingress; the demo's load generator sends them.
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { type LoadSecond, type LoadSummary, startLoad } from "../../emulator/load.ts";
import { emulatorAppUnknown } from "../../errors/cli.ts";
import { print, printJson, styled } from "../terminal.ts";
import { emulatorClient, type FolderOptions, withFolderOptions } from "./client.ts";
import { appsOf } from "./status.ts";

interface TrafficOptions extends FolderOptions {
  readonly rate: number;
  readonly seconds?: number;
  readonly path: string;
}

/** Adds the command `traffic`. */
export const addTraffic = (group: Command): Command =>
  withFolderOptions(group.command("traffic").argument("<app>", "name of the app in the emulator"))
    .description("send requests to an app, and print every second which revisions answered")
    .option("--rate <number>", "requests per second", positive, 10)
    .option("--seconds <number>", "how long to send (default: until Ctrl-C)", positive)
    .option("--path <path>", "path to request", "/")
    .addHelpText(
      "after",
      `
Each request is sent once, at its scheduled time. A status of 400 or more is a failure, and so is no answer within 10 s.
With --json: one line for each second and each failure, then a summary.

Examples:
  ballast emulator traffic storefront --rate 50
  ballast emulator traffic storefront --rate 5 --seconds 10 --json`,
    )
    .action(async (name: string, { folder, json, rate, seconds, path }: TrafficOptions) => {
      const client = await emulatorClient(folder);
      const apps = (await appsOf(client)).filter(({ properties }) => properties.configuration.ingress?.fqdn);
      const app = apps.find((each) => each.name === name);
      if (!app) throw emulatorAppUnknown({ app: name, known: apps.map((each) => each.name) });
      const load = startLoad(
        {
          rate,
          origin: `https://${app.properties.configuration.ingress?.fqdn}`,
          paths: [path],
          connectTo: { host: "127.0.0.1", port: client.cloud.port },
          caFile: client.cloud.caFile,
        },
        (line) => {
          if (json) printJson(line);
          else if (line.kind === "second") print(secondLine(line));
        },
      );
      // Ctrl-C stops sending. Requests in progress are still awaited and counted in the summary.
      const interrupted = new AbortController();
      const ends = Promise.race([
        once(process, "SIGINT", { signal: interrupted.signal }),
        once(process, "SIGTERM", { signal: interrupted.signal }),
      ]);
      await Promise.race([ends, ...(seconds ? [pause(seconds * 1000)] : [])]);
      const summary = await load.stop();
      interrupted.abort();
      ends.catch(() => undefined);
      if (json) printJson(summary);
      else print(summaryLines(summary));
    });

function positive(text: string): number {
  const number = Number(text);
  if (number > 0 && number < Infinity) return number;
  throw new InvalidArgumentError("Expected a number above 0.");
}

const failures = (failed: number): string => (failed === 0 ? "0 failed" : styled("red", `${failed} failed`));

/** Lists how many requests each revision answered, the busiest first. Requests without an answer have no revision. */
const shares = ({ byRevision }: Pick<LoadSecond, "byRevision">): string =>
  Object.entries(byRevision)
    .map(([revision, { answered, failed }]) => ({ revision: revision || "no revision", answered, failed }))
    .sort((one, other) => other.answered + other.failed - one.answered - one.failed)
    .map(({ revision, answered, failed }) => `${revision} ${answered}${failed ? ` and ${failures(failed)}` : ""}`)
    .join(", ");

function secondLine(second: LoadSecond): string {
  const time = new Date(second.at).toISOString().slice(11, 19);
  const counts = `${second.sent} sent, ${second.answered} answered, ${failures(second.failed)}`;
  return `${time}  ${counts}  ${shares(second)}`;
}

function summaryLines(sum: LoadSummary): string {
  const counts = `${sum.sent} requests in ${sum.seconds} s: ${sum.answered} answered, ${failures(sum.failed)}`;
  return `${counts}; p50 ${sum.p50Milliseconds} ms, p99 ${sum.p99Milliseconds} ms\n${shares(sum)}`;
}
