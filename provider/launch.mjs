// Runs the provider on Node 24, whatever Node the Pulumi CLI has on its PATH. It has a file of its own, because only a
// file with an extension is type-checked and formatted.
import { runOnNode24 } from "../toolchain/node/node24.mjs";

await runOnNode24(import.meta.url, "./main.ts");
