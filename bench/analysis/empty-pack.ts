// A policy pack that judges nothing. It pays what every pack pays, the start of gRPC and the decoding of protobuf, so
// what our pack costs above it is the cost of our rules.
import { Server, ServerCredentials } from "@grpc/grpc-js";
import analyzerServices from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzerProto from "@pulumi/pulumi/proto/analyzer_pb.js";
import pluginProto from "@pulumi/pulumi/proto/plugin_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";

const answers: Record<string, () => object> = {
  handshake: () => new analyzerProto.AnalyzerHandshakeResponse(),
  getPluginInfo: () => new pluginProto.PluginInfo().setVersion("0.0.0"),
  getAnalyzerInfo: () => new analyzerProto.AnalyzerInfo().setName("empty").setVersion("0.0.0"),
  configureStack: () => new analyzerProto.AnalyzerStackConfigureResponse(),
  remediate: () => new analyzerProto.RemediateResponse(),
  analyze: () => new analyzerProto.AnalyzeResponse(),
  analyzeStack: () => new analyzerProto.AnalyzeResponse(),
};
const server = new Server({ "grpc.max_receive_message_length": 400_000_000 });
const names = Object.keys(analyzerServices.AnalyzerService);
server.addService(
  analyzerServices.AnalyzerService,
  Object.fromEntries(
    names.map((name) => [
      name,
      (_call: unknown, done: (error: null, answer: object) => void) =>
        done(null, answers[name]?.() ?? new emptyProto.Empty()),
    ]),
  ),
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.on("end", () => process.exit()).resume();
