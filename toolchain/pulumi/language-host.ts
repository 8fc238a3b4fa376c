// The language host with which the Pulumi CLI runs Node programs when the official one (part of a download, not
// buildable from modules) is absent. It speaks `pulumirpc.LanguageRuntime` and leaves the work to the programs of
// @pulumi/pulumi/cmd. It installs no dependencies and generates no code; it refuses such calls by name.
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { extname } from "node:path";
import * as grpc from "@grpc/grpc-js";
import services, { type ILanguageRuntimeServer } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { keepCompiled } from "../node/compiled.mjs";

const require = createRequire(import.meta.url);
// The Pulumi CLI passes its own address as the last argument; the program sends its logs there.
const pulumiAddress = process.argv.at(-1) ?? "";
/** The exit code with which @pulumi/pulumi/cmd/run says that it has already reported the error to the user. */
const alreadyReported = 32;
const children = new Set<ChildProcess>();
/** What is read before a program of the SDK. */
const first = [
  new URL(`late-arborist${extname(import.meta.url)}`, import.meta.url),
  new URL(`late-debugger${extname(import.meta.url)}`, import.meta.url),
  new URL(`untraced-promises${extname(import.meta.url)}`, import.meta.url),
].map(({ href }) => `--import=${href}`);

/** Starts one of the SDK's programs, preferably from the copy that the user's program depends on. */
function startNode(
  module: string,
  args: readonly string[],
  options: { cwd: string; environment: NodeJS.ProcessEnv; output: "inherit" | "pipe" },
): ChildProcess {
  const script = require.resolve(`@pulumi/pulumi/cmd/${module}`, { paths: [options.cwd, import.meta.dirname] });
  // Each is one argument: the SDK takes an `--import` of its own for a custom loader, and then leaves its mode for ESM
  // out.
  const child = spawn(process.execPath, [...first, script, ...args], {
    cwd: options.cwd,
    env: options.environment,
    stdio: ["ignore", options.output, options.output],
  });
  children.add(child);
  child.on("close", () => children.delete(child));
  return child;
}

const run: ILanguageRuntimeServer["run"] = (call, answer) => {
  const request = call.request;
  const program = request.getInfo();
  const config: Record<string, string> = {};
  request.getConfigMap().forEach((value, key) => {
    config[key] = value;
  });
  const args = [
    ...["--monitor", request.getMonitorAddress(), "--engine", pulumiAddress],
    ...["--project", request.getProject(), "--stack", request.getStack(), "--organization", request.getOrganization()],
    ...["--pwd", request.getPwd(), "--parallel", String(request.getParallel())],
    ...(request.getDryrun() ? ["--dry-run"] : []),
    request.getProgram() || (program?.getEntryPoint() ?? "."),
    ...request.getArgsList(),
  ];
  const environment = {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: String(program?.getOptions()?.toJavaScript()["typescript"] !== false),
  };
  const finish = (fill: (response: InstanceType<typeof language.RunResponse>) => void): void => {
    const response = new language.RunResponse();
    fill(response);
    answer(null, response);
  };
  try {
    const child = startNode("run", args, {
      cwd: program?.getProgramDirectory() || request.getPwd(),
      environment,
      output: "inherit",
    });
    call.on("cancelled", () => child.kill());
    child.on("error", (error) => finish((response) => response.setError(error.message)));
    child.on("exit", (code, signal) =>
      finish((response) => {
        if (code === alreadyReported) response.setBail(true);
        else if (code !== 0)
          response.setError(`the program ended ${code === null ? `by ${signal}` : `with exit code ${code}`}`);
      }),
    );
  } catch (error) {
    finish((response) => response.setError((error as Error).message));
  }
};

const runPlugin: ILanguageRuntimeServer["runPlugin"] = (call) => {
  const request = call.request;
  const folder = request.getInfo()?.getProgramDirectory() || request.getPwd();
  const isPolicyPack = request.getKind() === "analyzer";
  const environment = { ...process.env, ...Object.fromEntries(request.getEnvList().map(splitAtEquals)) };
  const send = (fill: (response: InstanceType<typeof language.RunPluginResponse>) => void): void => {
    const response = new language.RunPluginResponse();
    fill(response);
    call.write(response);
  };
  const end = (code: number): void => {
    send((response) => response.setExitcode(code));
    call.end();
  };
  try {
    const args = [...request.getArgsList(), isPolicyPack ? "." : folder];
    const child = startNode(isPolicyPack ? "run-policy-pack" : "run-plugin", args, {
      cwd: isPolicyPack ? folder : request.getPwd(),
      environment,
      output: "pipe",
    });
    child.stdout?.on("data", (bytes: Buffer) => send((response) => response.setStdout(bytes)));
    child.stderr?.on("data", (bytes: Buffer) => send((response) => response.setStderr(bytes)));
    call.on("cancelled", () => child.kill());
    child.on("close", (code) => end(code ?? 1));
  } catch (error) {
    send((response) => response.setStderr(Buffer.from(`${(error as Error).message}\n`)));
    end(1);
  }
};

/** Splits one `NAME=value` of the protocol; the value may contain more equals signs. */
function splitAtEquals(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Gives a method that gives every caller the same answer. */
const always =
  <Request, Response>(make: () => Response): grpc.handleUnaryCall<Request, Response> =>
  (_call, answer) =>
    answer(null, make());

const offered: Partial<ILanguageRuntimeServer> = {
  run,
  runPlugin,
  handshake: always(() => new language.LanguageHandshakeResponse()),
  getPluginInfo: always(() => {
    const about = new plugin.PluginInfo();
    about.setVersion("0.0.1");
    return about;
  }),
  // Naming no plugins here is safe: the Pulumi CLI asks for a provider's plugin when the program first registers one of
  // its resources.
  getRequiredPlugins: always(() => new language.GetRequiredPluginsResponse()),
  getRequiredPackages: always(() => new language.GetRequiredPackagesResponse()),
  getProgramDependencies: always(() => new language.GetProgramDependenciesResponse()),
  about: always(() => {
    const about = new language.AboutResponse();
    about.setExecutable(process.execPath);
    about.setVersion(process.versions.node);
    return about;
  }),
  // The program ends because the Pulumi CLI stops answering it or cancels its call. Killing it here would look like a
  // fault of the program.
  cancel: always(() => new empty.Empty()),
};

/**
 * Gives a method that refuses the call by its name, for calls with one answer and for calls with a stream of answers.
 */
const refused =
  (name: string) =>
  (call: grpc.ServerWritableStream<unknown, unknown>, answer?: grpc.sendUnaryData<unknown>): void => {
    const refusal = {
      code: grpc.status.UNIMPLEMENTED,
      details: `the language host of Ballast does not offer ${name}; the official pulumi-language-nodejs does`,
    };
    if (answer) answer(refusal);
    else call.emit("error", refusal);
  };

function endChildren(): void {
  for (const child of children) child.kill();
}

/**
 * Ends this process with the Pulumi CLI. A killed Pulumi CLI cannot tell us, so we check that it is still our parent.
 */
function endWithPulumi(): void {
  const pulumiCli = process.ppid;
  setInterval(() => {
    if (process.ppid !== pulumiCli) process.exit();
  }, 1000);
  process.on("exit", endChildren);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit());
}

function serve(): void {
  endWithPulumi();
  const server = new grpc.Server();
  const names = Object.keys(services.LanguageRuntimeService);
  server.addService(
    services.LanguageRuntimeService,
    Object.fromEntries(names.map((name) => [name, offered[name] ?? refused(name)])),
  );
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(port); // The Pulumi CLI reads our port from the first line on standard output.
    keepCompiled();
  });
}

serve();
