// Measures the policy pack: the CPU time to its port, and what judging stacks of 100 and of 500 resources costs above
// an empty pack. CPU time and not wall time, because a Pulumi CLI runs beside it. Prints a table; a test asserts none
// of it, because the numbers belong to a machine. Run it with `npm run bench:policies`.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { credentials } from "@grpc/grpc-js";
import analyzerServices from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzerProto from "@pulumi/pulumi/proto/analyzer_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import { markdownTable } from "../markdown-table.ts";

const rounds = 5;
const packs = {
  ours: join(import.meta.dirname, "..", "..", "policies", "pack", "launch.mjs"),
  empty: join(import.meta.dirname, "empty-pack.ts"),
};
const reporter = pathToFileURL(join(import.meta.dirname, "report-cpu.mjs")).href;

interface Pack {
  readonly child: ChildProcess;
  readonly client: InstanceType<typeof analyzerServices.AnalyzerClient>;
  /** CPU milliseconds so far. */
  readonly cpu: () => Promise<number>;
}

async function start(entry: string): Promise<Pack> {
  const child = spawn(process.execPath, ["--import", reporter, entry, "127.0.0.1:1"], { stdio: "pipe" });
  const reports = createInterface({ input: child.stderr! });
  const cpu = async (): Promise<number> => {
    const line = once(reports, "line");
    child.kill("SIGUSR2");
    const { user, system } = JSON.parse(String((await line)[0])) as { user: number; system: number };
    return (user + system) / 1000;
  };
  const [port] = await once(createInterface({ input: child.stdout! }), "line");
  const client = new analyzerServices.AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.max_send_message_length": 400_000_000,
  });
  return { child, client, cpu };
}

type Client = Pack["client"];
const call = (client: Client, method: string, request: object): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const unary = client[method as "analyze"] as unknown as (
      asked: object,
      done: (error: Error | null, answer: unknown) => void,
    ) => void;
    unary.call(client, request, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

const urnOf = (at: number): string => `urn:pulumi:prod::bench::azure-native:app:ContainerApp::app-${at}`;

/** An app with twenty variables, as a real one has. It breaks no rule, so no message is written. */
const propertiesOf = (at: number): InstanceType<typeof structProto.Struct> =>
  structProto.Struct.fromJavaScript({
    containerAppName: `app-${at}`,
    configuration: { activeRevisionsMode: "Multiple", ingress: { external: true, targetPort: 8080 } },
    template: {
      containers: [
        {
          name: `app-${at}`,
          image: `bench.azurecr.io/app@sha256:${"0".repeat(64)}`,
          env: Array.from({ length: 20 }, (_, index) => ({
            name: `SETTING_${index}`,
            value: `value ${index} of ${at}`,
          })),
          probes: [{ type: "Readiness", httpGet: { path: "/ready", port: 8080 } }],
        },
      ],
    },
  });

async function judge({ client, cpu }: Pack, size: number): Promise<number> {
  const stack = new analyzerProto.AnalyzerStackConfigureRequest().setStack("prod").setProject("bench").setDryRun(true);
  await call(client, "configureStack", stack);
  await call(client, "getAnalyzerInfo", new emptyProto.Empty());
  const before = await cpu();
  for (let at = 0; at < size; at += 1) {
    const request = new analyzerProto.AnalyzeRequest();
    request.setUrn(urnOf(at)).setType("azure-native:app:ContainerApp").setName(`app-${at}`);
    await call(client, "analyze", request.setProperties(propertiesOf(at)));
  }
  const resources = Array.from({ length: size }, (_, at) =>
    new analyzerProto.AnalyzerResource()
      .setUrn(urnOf(at))
      .setType("azure-native:app:ContainerApp")
      .setName(`app-${at}`)
      .setProperties(propertiesOf(at)),
  );
  await call(client, "analyzeStack", new analyzerProto.AnalyzeStackRequest().setResourcesList(resources));
  return (await cpu()) - before;
}

async function measured(entry: string, size: number): Promise<{ readonly toPort: number; readonly judging: number }> {
  const pack = await start(entry);
  try {
    const toPort = await pack.cpu();
    return { toPort, judging: size === 0 ? 0 : await judge(pack, size) };
  } finally {
    pack.client.close();
    pack.child.stdin!.end();
    await once(pack.child, "exit");
  }
}

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[values.length >> 1]!;

const rows: string[][] = [];
const ports = { ours: [] as number[], empty: [] as number[] };
for (const size of [100, 500]) {
  const judging = { ours: [] as number[], empty: [] as number[] };
  for (let round = 0; round < rounds; round += 1)
    for (const name of ["ours", "empty"] as const) {
      const result = await measured(packs[name], size);
      judging[name].push(result.judging);
      ports[name].push(result.toPort);
    }
  const [ours, empty] = [median(judging.ours), median(judging.empty)];
  rows.push(
    [`${size} resources`, ours, empty, ours - empty].map((cell) => (typeof cell === "number" ? cell.toFixed(0) : cell)),
  );
}
rows.unshift(
  ["start to port", median(ports.ours), median(ports.empty), median(ports.ours) - median(ports.empty)].map((cell) =>
    typeof cell === "number" ? cell.toFixed(0) : cell,
  ),
);
console.log(markdownTable(["CPU in ms", "our pack", "an empty pack", "above it"], rows));
