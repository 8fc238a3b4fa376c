// `npm run test:clients`: Microsoft's own clients on the emulator, each in its newest version with its default
// api-versions: the JavaScript and Python packages of Resource Manager, and the Azure CLI. It installs them in a
// temporary folder, so that it needs the network, Python 3 and some minutes, and is no part of `npm test`. It prints
// one line a step, and fails when a step fails that is not known to.
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { startEmulator } from "../../../emulator/start.ts";
import { webImage } from "../../support/emulator/cloud.ts";
import { azureCliSteps, type Step } from "./azure-cli.ts";
import { startJobAsWorkflow } from "./db-migrate.ts";

const run = promisify(execFile);
const installMinutes = 15;
const folder = mkdtempSync(path.join(tmpdir(), "ballast-clients-"));
const inFolder = (...names: readonly string[]): string => path.join(folder, ...names);
const failures: string[] = [];

/** Prints how a step ended. A step that is known to fail and then works is a failure too: the list is out of date. */
function report(client: string, { name, problem, known }: Step & { readonly problem: string | undefined }): void {
  const isRight = (problem === undefined) === (known === undefined);
  const how = problem === undefined ? "ok" : `failed: ${problem.replace(/\s+/g, " ").slice(0, 300)}`;
  process.stdout.write(`${isRight ? " " : "!"} ${client}  ${name}: ${how}${known ? ` (known: ${known})` : ""}\n`);
  if (!isRight) failures.push(`${client} ${name}`);
}

const install = (file: string, ...args: readonly string[]): Promise<unknown> =>
  run(file, args, { cwd: folder, timeout: installMinutes * 60_000 });

/** Runs a program that prints one line of JSON for each of its steps. */
async function runProgram(client: string, file: string, args: readonly string[], environment: object): Promise<void> {
  const { stdout } = await run(file, args, { cwd: folder, env: { ...process.env, ...environment } });
  for (const line of stdout.split("\n").filter((each) => each.startsWith("{"))) report(client, JSON.parse(line));
}

const emulator = await startEmulator({ folder: inFolder("emulator"), images: webImage(folder) });
try {
  const { close: _close, ...description } = emulator;
  const descriptionFile = inFolder("emulator.json");
  writeFileSync(descriptionFile, JSON.stringify(description), { mode: 0o600 });

  writeFileSync(inFolder("package.json"), JSON.stringify({ private: true, type: "module" }));
  const packages = [
    ...["appcontainers", "resources", "operationalinsights", "authorization", "msi", "monitor"],
    ...["keyvault", "eventgrid"],
  ];
  await install(
    "npm",
    "install",
    "--no-audit",
    "--no-fund",
    "@azure/identity",
    ...packages.map((each) => `@azure/arm-${each}`),
  );
  // The program must lie beside the packages that it imports.
  copyFileSync(path.join(import.meta.dirname, "javascript.mjs"), inFolder("javascript.mjs"));
  await runProgram("JavaScript", process.execPath, [inFolder("javascript.mjs"), descriptionFile], {
    NODE_EXTRA_CA_CERTS: emulator.caFile,
  });

  const modules = ["appcontainers", "resource", "loganalytics", "msi", "authorization"];
  await install("python3", "-m", "venv", inFolder("python"));
  await install(
    inFolder("python", "bin", "pip"),
    "install",
    "-q",
    "azure-identity",
    ...modules.map((each) => `azure-mgmt-${each}`),
  );
  await runProgram(
    "Python",
    inFolder("python", "bin", "python"),
    [path.join(import.meta.dirname, "python.py"), descriptionFile],
    {
      REQUESTS_CA_BUNDLE: emulator.caFile,
    },
  );

  // The CLI pins older packages than those above, so that it has an environment of its own.
  await install("python3", "-m", "venv", inFolder("cli"));
  await install(inFolder("cli", "bin", "pip"), "install", "-q", "azure-cli");
  const environment = {
    ...process.env,
    PATH: `${inFolder("cli", "bin")}:${process.env["PATH"]}`,
    REQUESTS_CA_BUNDLE: emulator.caFile,
    AZURE_CONFIG_DIR: inFolder("azure"),
    AZURE_CORE_COLLECT_TELEMETRY: "no",
    AZURE_EXTENSION_USE_DYNAMIC_INSTALL: "no",
  };
  for (const step of azureCliSteps(emulator)) {
    const problem = await run("az", [...step.args], { env: environment }).then(
      ({ stdout }) => (step.shows.test(stdout) ? undefined : `the answer lacks ${step.shows}: ${stdout}`),
      ({ stderr, message }: { stderr?: string; message: string }) => stderr || message,
    );
    report("Azure CLI", { ...step, problem });
  }
  const problem = await startJobAsWorkflow(emulator, folder, environment);
  report("Azure CLI", { name: "the step of db-migrate that starts the job with the trace", problem });
} finally {
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(failures.length === 0 ? "every step ended as expected\n" : `unexpected: ${failures.join(", ")}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
