// `ballast local traffic <app>`: users for an app of the stand-in, as many a second as asked for, and second by second who answered them.
// The requests are real and go through the ingress; what sends them is the demo's load generator.
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { type LoadSecond, type LoadSummary, startLoad } from "../../emulator/load.ts";
import { localAppUnknown } from "../../errors/cli.ts";
import { print, printJson, styled } from "../terminal.ts";
import { type LocalOptions, localClient, onFolder } from "./client.ts";
import { appsOf } from "./status.ts";

interface TrafficOptions extends LocalOptions {
  readonly rate: number;
  readonly seconds?: number;
  readonly path: string;
}

/** Adds the command. */
export const addTraffic = (group: Command): Command =>
  onFolder(group.command("traffic <app>"))
    .description("send an app real requests and tell second by second which revision answered")
    .option("--rate <number>", "requests a second", positive, 10)
    .option("--seconds <number>", "for how long (default: until Ctrl-C)", positive)
    .option("--path <path>", "what is asked for", "/")
    .addHelpText(
      "after",
      "\nEach request is sent once, when it is due; an answer of 400 or more, or none within 10 s, is a failure.\nWith --json: a line for each second and each failure, and a summary.\n\nExamples:\n  ballast local traffic storefront --rate 50\n  ballast local traffic storefront --rate 5 --seconds 10 --json",
    )
    .action(async (name: string, { folder, json, rate, seconds, path }: TrafficOptions) => {
      const client = await localClient(folder);
      const apps = (await appsOf(client)).filter(({ properties }) => properties.configuration.ingress?.fqdn);
      const app = apps.find((each) => each.name === name);
      if (!app) throw localAppUnknown({ app: name, known: apps.map((each) => each.name) });
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
      // Ctrl-C ends the sending, not the telling: what is outstanding still gets its answer and its place in the sum.
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
      else print(summaryLine(summary));
    });

function positive(text: string): number {
  const number = Number(text);
  if (number > 0 && number < Infinity) return number;
  throw new InvalidArgumentError("It is not a number above 0.");
}

const failures = (failed: number): string => (failed === 0 ? "0 failed" : styled("red", `${failed} failed`));

/** Says who answered, the busiest first; requests without an answer are nobody's. */
const shares = ({ byRevision }: Pick<LoadSecond, "byRevision">): string =>
  Object.entries(byRevision)
    .map(([revision, { answered, failed }]) => ({ revision: revision || "nobody", answered, failed }))
    .sort((one, other) => other.answered + other.failed - one.answered - one.failed)
    .map(({ revision, answered, failed }) => `${revision} ${answered}${failed ? ` and ${failures(failed)}` : ""}`)
    .join(", ");

const secondLine = (second: LoadSecond): string =>
  `${new Date(second.at).toISOString().slice(11, 19)}  ${second.sent} sent, ${second.answered} answered, ${failures(second.failed)}  ${shares(second)}`;

const summaryLine = (sum: LoadSummary): string =>
  `${sum.sent} requests in ${sum.seconds} s: ${sum.answered} answered, ${failures(sum.failed)}; half within ${sum.p50Milliseconds} ms, 99 % within ${sum.p99Milliseconds} ms\n${shares(sum)}`;
