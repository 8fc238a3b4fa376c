// A process with readers of a published secret. It is told by one line on its standard input which vault, which secret
// and which readers, and writes a line of JSON for whatever they report. It ends when its input closes.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type ConnectionSettings, connect } from "../../controlplane/adapters/azure/connection.ts";
import { ownUsage, type WantedSecond, wantedBetween } from "../../emulator/starvation.ts";
import { type ReaderLine, type ReaderOptions, run } from "./reader.ts";
import { secretsOf } from "./secrets.ts";

/** What such a process is told. */
export interface ReadersOrder {
  readonly connection: ConnectionSettings;
  readonly vaultUrl: string;
  readonly secret: string;
  readonly readers: readonly ReaderOptions[];
}

/** What it writes. */
export type ReadersLine = ReaderLine | ({ readonly kind: "second" } & WantedSecond);

const input = createInterface({ input: process.stdin });
const [text] = (await once(input, "line")) as [string];
const order = JSON.parse(text) as ReadersOrder;
const report = (line: ReadersLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const connection = connect(order.connection);
const secrets = secretsOf(order.vaultUrl, connection);
const stop = new AbortController();
input.once("close", () => stop.abort());
let before = ownUsage();
const seconds = setInterval(() => {
  const now = ownUsage();
  report({ kind: "second", ...wantedBetween(before, now) });
  before = now;
}, 1000);
await Promise.all(
  order.readers.map((reader) =>
    run(reader, async () => (await secrets.getSecret(order.secret)).value!, report, stop.signal),
  ),
);
clearInterval(seconds);
connection.close();
