// The stand-in cloud as a process of its own: options as one line of JSON on stdin, one line of JSON on stdout when it is ready.
// It ends on SIGTERM, SIGINT, or when stdin closes, so that it never outlives whoever started it. Logs go to stderr.
import { createInterface } from "node:readline";
import type { LocalCloudOptions } from "./arm/resource.ts";
import { startLocalCloud } from "./start.ts";

const lines = createInterface({ input: process.stdin });
const ended = new Promise<void>((resolve) => {
  lines.once("close", resolve);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
});
const first = await Promise.race([new Promise<string>((resolve) => lines.once("line", resolve)), ended]);
if (first !== undefined) {
  const cloud = await startLocalCloud(JSON.parse(first) as LocalCloudOptions);
  const { close, ...said } = cloud;
  process.stdout.write(`${JSON.stringify(said)}\n`);
  await ended;
  await close();
}
process.exit(0);
