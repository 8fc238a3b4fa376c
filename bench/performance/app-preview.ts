// One unchanged app, deployed by a program of its own on the emulator, and previews of it.
import { quickStrategy, wideThresholds } from "../../test/support/controlplane/quick-strategy.ts";
import type { ContainerAppProject } from "../../test/support/program/container-app-program.ts";
import type { LocalStack } from "../../test/support/program/local-stack.ts";
import { runChild } from "../../toolchain/child.ts";
import { secondsOfEnded } from "./processes.ts";

/** One preview: how long it took, and the processor time of its processes. */
export interface AppPreview {
  readonly milliseconds: number;
  readonly processorSeconds: number;
}

/** Previews an app. */
export type PreviewOf = () => Promise<AppPreview>;

/** The app that the control plane manages. */
export const app = "storefront";

/** Writes the JavaScript of the package. */
export async function emit(root: string): Promise<void> {
  succeeded(await runChild("npm", ["run", "prepack"], { cwd: root, environment: process.env }));
}

/** Deploys the control plane, and gives where an app goes and how it is released. */
export async function deployPlane(stack: Pick<LocalStack, "up" | "live">, report: (line: string) => void) {
  report("Deploying the control plane");
  succeeded(await stack.up("--exclude", `**::${app}`, "--exclude", `**::${app}-*`, "--exclude-dependents"));
  const { properties } = await stack.live("control-plane");
  const { fqdn } = properties.configuration.ingress;
  const controlPlane = { endpoint: `https://${fqdn}`, audience: "api://ballast" };
  return {
    place: {
      resourceGroupName: "ballast-local",
      managedEnvironmentId: properties.managedEnvironmentId ?? properties.environmentId,
    },
    domain: fqdn.replace(/^[^.]+\./, ""),
    releases: { controlPlane, strategy: quickStrategy, thresholds: wideThresholds },
  };
}

/** Updates twice: the second update records the traffic of the first release in the state. */
export async function deployed(
  project: ContainerAppProject,
  config: Readonly<Record<string, unknown>>,
): Promise<PreviewOf> {
  for (let round = 0; round < 2; round++) succeeded(await project.run("js", ["up", "--yes"], config));
  return async () => {
    const before = secondsOfEnded(process.pid);
    const began = performance.now();
    succeeded(await project.run("js", ["preview", "--expect-no-changes"], config));
    return {
      milliseconds: performance.now() - began,
      processorSeconds: secondsOfEnded(process.pid) - before,
    };
  };
}

function succeeded({ code, output }: { readonly code: number | null; readonly output: string }): void {
  if (code !== 0) throw new Error(`A command failed: ${output}`);
}
