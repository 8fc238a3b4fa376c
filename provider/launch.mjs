// Runs the provider on Node 24, whatever Node the Pulumi CLI has on its PATH. It has a file of its own, because only a
// file with an extension is type-checked and formatted.
import module from "node:module";
import { runOnNode24 } from "../toolchain/node/node24.mjs";

// The Pulumi CLI starts the provider for every preview. Compiled code from the last start saves half of its CPU time.
module.enableCompileCache?.();
await runOnNode24(import.meta.url, "./main.ts");
