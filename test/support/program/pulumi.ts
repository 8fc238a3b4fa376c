// Brings the Pulumi engine before the first test, once for all test files, so that no test's time limit holds a download or a build.
import { bringEngine } from "../../../toolchain/pulumi/bring.ts";

/** Called by vitest (`globalSetup`) in its main process. */
export async function setup(): Promise<void> {
  await bringEngine();
}
