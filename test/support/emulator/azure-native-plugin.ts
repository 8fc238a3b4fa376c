// Serves the emulator's azure-native to one Pulumi CLI, as its plugin: a stack names this folder as the path of the
// provider in `plugins` of its Pulumi.yaml. Unlike the provider in the emulator's own process, it reads the variables
// of whoever runs the CLI, so a run signs in as itself. It prints the port first, as the Pulumi CLI expects.
import { readFileSync } from "node:fs";
import { parseConnectTo } from "../../../connect-to.ts";
import { subscription } from "../../../emulator/arm/subscription-id.ts";
import { azureNative } from "../../../emulator/provider/azure-native.ts";
import { serveProvider } from "../../../emulator/provider/serve.ts";

const { BALLAST_CONNECT_TO, NODE_EXTRA_CA_CERTS } = process.env;
const to = parseConnectTo(BALLAST_CONNECT_TO);
if (to === undefined || !NODE_EXTRA_CA_CERTS)
  throw new Error("The emulator is in BALLAST_CONNECT_TO and NODE_EXTRA_CA_CERTS, and they are not set.");
const connection = { port: to.port, suffix: to.suffix, caPem: readFileSync(NODE_EXTRA_CA_CERTS, "utf8") };
const { port } = await serveProvider(azureNative({ connection, subscription, environment: process.env }));
console.log(port);

// The Pulumi CLI keeps our standard input open while it lives. Without this, we would outlive one that is killed.
process.stdin.on("end", () => process.exit()).resume();
