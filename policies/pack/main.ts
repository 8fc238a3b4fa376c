// Serves the policy pack to one Pulumi CLI: prints the port as the first line, as the Pulumi CLI expects, and ends with
// the Pulumi CLI. The rules are loaded after that, while the Pulumi CLI prepares its first question.
import { createRequire } from "node:module";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { definition, type Judging, service } from "./service.ts";

// The pack's own version: the Pulumi CLI starts it in the program's folder, whose package.json is the user's.
const { version } = createRequire(import.meta.url)("ballast/package.json") as { version: string };
/** A stack of thousands of resources is more than gRPC's four megabytes. */
const bytesMax = 400_000_000;

const server = new Server({ "grpc.max_receive_message_length": bytesMax });
let judging: Promise<Judging> | undefined;
server.addService(
  definition,
  service(version, () => {
    judging ??= load();
    return judging;
  }),
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});

async function load(): Promise<Judging> {
  const [{ Session }, catalogue, decode] = await Promise.all([
    import("./session.ts"),
    import("./catalogue.ts"),
    import("./decode.ts"),
  ]);
  return { session: new Session({ cwd: process.cwd(), now: Date.now() }), catalogue, decode };
}

// The Pulumi CLI keeps our standard input open while it lives. Without this, we would outlive one that is killed.
process.stdin.on("end", () => process.exit()).resume();
