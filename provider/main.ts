// Serves the provider to one engine: prints the port as the first line, as the engine expects, and ends with it.
// Standard output is the engine's alone; there is nothing else to say here.
import { createRequire } from "node:module";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { service } from "./service.ts";

const { version } = createRequire(import.meta.url)("ballast/package.json") as { version: string };
const engineAddress = process.argv.at(-1) ?? "";

const server = new Server();
server.addService(providerService.ResourceProviderService, service(version, engineAddress));
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});

// The engine holds our standard input open for as long as it lives; without this, one that is killed would leave us behind.
process.stdin.on("end", () => process.exit()).resume();
