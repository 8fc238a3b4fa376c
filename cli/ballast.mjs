#!/usr/bin/env node
// The `ballast` command as people start it. It runs on Node 24, which it brings along if the installed Node is older.
import { runOnNode24 } from "../toolchain/node/node24.mjs";

await runOnNode24(import.meta.url, "./main.ts");
