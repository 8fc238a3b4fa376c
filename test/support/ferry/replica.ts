// A control plane with two kinds of work as a process of its own that a test may kill. It serves its API on a port that
// it prints, and prints what the loop logs, one line of JSON each.
import { serve } from "@hono/node-server";
import { openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { oneKind, openTwoKinds, type TwoKindsSetting, twoKinds } from "./two-kinds.ts";

const { knows, port, ...setting } = JSON.parse(process.argv[2] ?? "{}") as Omit<
  TwoKindsSetting,
  "pool" | "kinds" | "log"
> & {
  readonly knows: "rollouts" | "rollouts and ferries";
  /** The port to serve on, 0 for any free one. */
  readonly port: number;
};
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const log = (message: string): void => say({ log: message });
const pool = openPool(setting.database, log);
const kinds = knows === "rollouts" ? oneKind : twoKinds;
const { fetch } = await openTwoKinds({ ...setting, pool, kinds, log });
serve({ fetch, hostname: "127.0.0.1", port, overrideGlobalObjects: false }, (served) => say({ port: served.port }));
