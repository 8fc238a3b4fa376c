// The emulator as a process: it reads its options as one line of JSON from stdin and writes one line of
// JSON to stdout when it is ready. It ends on SIGTERM, on SIGINT, or when stdin closes, so that it does
// not outlive its parent. Logs go to stderr.
import { createInterface } from "node:readline";
import type { EmulatorOptions } from "./arm/resource.ts";
import { startEmulator } from "./start.ts";

const lines = createInterface({ input: process.stdin });
const ended = new Promise<void>((resolve) => {
  lines.once("close", resolve);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
});
const first = await Promise.race([new Promise<string>((resolve) => lines.once("line", resolve)), ended]);
if (first !== undefined) {
  const cloud = await startEmulator(JSON.parse(first) as EmulatorOptions);
  const { close, ...description } = cloud;
  process.stdout.write(`${JSON.stringify(description)}\n`);
  await ended;
  await close();
}
process.exit(0);
