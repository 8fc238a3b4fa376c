// Installs the Pulumi CLI before the first test, once for all test files, so that no test's time limit includes it.
import { bringPulumi } from "../../../toolchain/pulumi/bring.ts";

/** Called by vitest (`globalSetup`) in its main process. */
export async function setup(): Promise<void> {
  await bringPulumi();
}
