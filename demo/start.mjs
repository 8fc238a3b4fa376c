#!/usr/bin/env node
// `npm start` as people start it: on Node 24 wherever their own Node is older.
import { runOnNode24 } from "../toolchain/node/node24.mjs";

await runOnNode24(import.meta.url, "./main.ts");
