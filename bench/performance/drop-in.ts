// Measures what a preview costs an app that becomes a CanaryApp: the same unchanged app as azure-native's ContainerApp,
// in a program that does not import Ballast, and as a CanaryApp, each in a stack of its own on the emulator. The
// previews take turns.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { quickStrategy, wideThresholds } from "../../test/support/controlplane/quick-strategy.ts";
import { type ContainerAppProject, containerAppProject } from "../../test/support/program/container-app-program.ts";
import { plainApp } from "../../test/support/program/container-app-shapes.ts";
import { type LocalStack, startLocalStack } from "../../test/support/program/local-stack.ts";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import { takeTurns } from "./turns.ts";

/** What the app is declared as. */
export const declarations = ["ContainerApp", "CanaryApp"] as const;
export type Declaration = (typeof declarations)[number];

/** The milliseconds of each preview, and the version of the Pulumi CLI. */
export interface DroppedIn {
  readonly pulumiCli: string;
  readonly previews: Readonly<Record<Declaration, readonly number[]>>;
}

/** Deploys the app twice and previews both for a number of rounds. */
export async function measureDropIn(rounds: number, report: (line: string) => void): Promise<DroppedIn> {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-drop-in-"));
  const stack = await startLocalStack({});
  try {
    const { version: pulumiCli } = await bringPulumi();
    const preview = await deployBoth(stack, folder, report);
    const said = (round: string): void => report(`Previews of one app, ${round}`);
    return { pulumiCli, previews: await takeTurns(declarations, rounds, (name) => preview[name](), said) };
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Previews one of the two, and gives how long it took. */
type Preview = () => Promise<number>;

const app = "storefront"; // the one that the control plane manages

async function deployBoth(
  stack: LocalStack,
  folder: string,
  report: (line: string) => void,
): Promise<Readonly<Record<Declaration, Preview>>> {
  report("Deploying the control plane");
  succeeded(await stack.up("--exclude", `**::${app}`, "--exclude", `**::${app}-*`, "--exclude-dependents"));
  const { properties } = await stack.live("control-plane");
  const place = {
    resourceGroupName: "ballast-local",
    managedEnvironmentId: properties.managedEnvironmentId ?? properties.environmentId,
  };
  const endpoint = `https://${properties.configuration.ingress.fqdn}`;
  const controlPlane = { endpoint, audience: "api://ballast" };
  const releases = { controlPlane, strategy: quickStrategy, thresholds: wideThresholds };
  const deploy = async (declaration: Declaration, name: string, more: object): Promise<Preview> => {
    report(`Deploying a ${declaration}`);
    const own = path.join(folder, declaration);
    mkdirSync(own);
    const project = await containerAppProject(own, stack.cloud.cloud.environment);
    const config = { app: { ...place, ...plainApp(name, "1") }, copies: [], ...more };
    // The second update records the traffic of the first release in the state.
    for (let round = 0; round < 2; round++) succeeded(await project.run("js", ["up", "--yes"], config));
    return () => timed(project, config);
  };
  return {
    ContainerApp: await deploy("ContainerApp", "plain", {}),
    CanaryApp: await deploy("CanaryApp", app, { releases }),
  };
}

async function timed(project: ContainerAppProject, config: Readonly<Record<string, unknown>>): Promise<number> {
  const began = performance.now();
  succeeded(await project.run("js", ["preview", "--expect-no-changes"], config));
  return performance.now() - began;
}

function succeeded({ code, output }: { readonly code: number | null; readonly output: string }): void {
  if (code !== 0) throw new Error(`The Pulumi CLI failed: ${output}`);
}
