// `npm run test:python`: the policy pack on a program in Python in a folder that holds nothing else. It installs
// Pulumi's SDK for Python in a temporary folder and builds its language host, so that it needs the network, Python 3,
// Go and some minutes, and is no part of `npm test`. It prints one line for each thing that it looks at, and fails if
// one is not so.
import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { runChild } from "../../toolchain/child.ts";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import { findGo } from "../../toolchain/pulumi/build.ts";
import { startAnyProvider } from "../support/policies/any-provider.ts";

const run = promisify(execFile);
/** The newest module that has the host in it; later ones have it in a module that is not served. */
const sdk = "github.com/pulumi/pulumi/sdk/v3";
const sdkVersion = "v3.40.0";
const hostPackage = `${sdk}/python/cmd/pulumi-language-python`;
const minutes = 20;
const pack = join(import.meta.dirname, "..", "..", "policies", "ballast");

/** An app whose image is a tag and whose password stands in the program. */
const program = `import pulumi
from pulumi import CustomResource

class ContainerApp(CustomResource):
    def __init__(self, name, props, opts=None):
        super().__init__("azure-native:app:ContainerApp", name, props, opts)

ContainerApp("shop", {
    "resourceGroupName": "shop",
    "template": {"containers": [{
        "name": "shop",
        "image": "ghcr.io/example/shop:2.1.0",
        "env": [{"name": "DATABASE_PASSWORD", "value": "not-a-secret"}],
    }]},
})
`;
const schema = `resources:
  shop:
    type: azure-native:app:ContainerApp
    properties: { resourceGroupName: shop, template: {} }
`;

const folder = mkdtempSync(join(tmpdir(), "ballast-python-"));
const inFolder = (...names: readonly string[]): string => join(folder, ...names);
const failures: string[] = [];

function report(what: string, isSo: boolean): void {
  process.stdout.write(`${isSo ? " " : "!"} ${what}\n`);
  if (!isSo) failures.push(what);
}

/** Whether the CLI shows a mandatory finding of a rule, and the line that makes the app below it. */
const isMandatory = (output: string, rule: string): boolean =>
  new RegExp(`\\[mandatory\\].*${rule}[^\\n]*\\n\\s*__main__\\.py:8 `).test(output);

/** Builds the language host, installs the SDK beside it, and gives the folders of both for PATH. */
async function install(): Promise<string> {
  mkdirSync(inFolder("host"));
  mkdirSync(inFolder("bin"));
  writeFileSync(inFolder("host", "go.mod"), `module host\n\ngo 1.25\n\nrequire ${sdk} ${sdkVersion}\n`);
  const go = await findGo(process.env);
  const environment = { ...process.env, PWD: inFolder("host"), GOWORK: "off" };
  const options = { cwd: inFolder("host"), env: environment, timeout: minutes * 60_000 };
  const output = inFolder("bin", "pulumi-language-python");
  await run(go, ["build", "-mod=mod", "-ldflags", "-s -w", "-o", output, hostPackage], options);
  const { stdout } = await run(go, ["list", "-mod=mod", "-m", "-f", "{{.Dir}}", sdk], options);
  // The host starts a program with a script that must lie beside it.
  const script = "pulumi-language-python-exec";
  copyFileSync(join(stdout.trim(), "python", "cmd", script), inFolder("bin", script));
  chmodSync(inFolder("bin", script), 0o755);
  await run("python3", ["-m", "venv", inFolder("venv")]);
  await run(inFolder("venv", "bin", "pip"), ["install", "--quiet", "pulumi"], { timeout: minutes * 60_000 });
  return `${inFolder("bin")}:${inFolder("venv", "bin")}`;
}

const provider = await startAnyProvider(schema);
try {
  const cli = await bringPulumi();
  const path = await install();
  for (const name of ["program", "state", "home"]) mkdirSync(inFolder(name));
  writeFileSync(
    inFolder("program", "Pulumi.yaml"),
    `name: shop\nruntime:\n  name: python\n  options: { virtualenv: ${inFolder("venv")} }\n`,
  );
  writeFileSync(inFolder("program", "__main__.py"), program);
  const environment = {
    ...process.env,
    ...cli.environment,
    PATH: `${path}:${cli.environment["PATH"]}`,
    PULUMI_DEBUG_PROVIDERS: provider.attach,
    PULUMI_HOME: inFolder("home"),
    PULUMI_BACKEND_URL: `file://${inFolder("state")}`,
    PULUMI_CONFIG_PASSPHRASE: "a test's own",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const pulumi = (...args: readonly string[]) =>
    runChild(cli.command, [...args, "--non-interactive", "--color", "never"], {
      cwd: inFolder("program"),
      environment,
    });
  const made = await pulumi("stack", "init", "prod");
  report("a stack is made in a folder with two files", made.code === 0);
  const { code, output } = await pulumi("preview", "--stack", "prod", "--policy-pack", pack);
  report("the preview is stopped", code !== 0);
  for (const rule of ["image-by-digest", "secret-not-marked"])
    report(`${rule} is a mandatory finding at the line of the app`, isMandatory(output, rule));
  report("the value of the password is not printed", !output.includes("not-a-secret"));
  if (failures.length > 0) process.stdout.write(output);
} finally {
  provider.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures.length > 0 ? 1 : 0;
