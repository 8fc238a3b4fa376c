// Serves the provider to one Pulumi CLI: prints the port as the first line, as the Pulumi CLI expects, and ends with
// the Pulumi CLI. Nothing else is printed to standard output, which the Pulumi CLI reads.
import { createRequire } from "node:module";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { credential } from "./credential/resource.ts";
import { lock, managed, ready, releaseOf, unlock } from "./release/functions.ts";
import { release } from "./release/resource.ts";
import { repositoryFiles } from "./repository/files.ts";
import { repositoryFacts, repositorySettings } from "./repository/settings.ts";
import { service } from "./service.ts";

const { version } = createRequire(import.meta.url)("ballast/package.json") as { version: string };
const engineAddress = process.argv.at(-1) ?? "";

const server = new Server();
server.addService(
  providerService.ResourceProviderService,
  service(
    {
      version,
      resources: [release, credential, repositoryFiles, repositorySettings],
      functions: [lock, unlock, managed, releaseOf, ready, repositoryFacts],
    },
    engineAddress,
  ),
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});

// The Pulumi CLI keeps our standard input open while it lives. Without this, we would outlive one that is killed.
process.stdin.on("end", () => process.exit()).resume();
