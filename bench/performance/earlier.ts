// The app as the CanaryApp of an earlier commit, in a process of its own, since two copies of the emulator do not fit
// into one. `node earlier.ts <checkout> <folder>` deploys it, and previews it each time its parent sends a message.
import path from "node:path";
import type { Ballast } from "../../test/support/program/container-app-program.ts";
import { containerAppProject, fromPackage } from "../../test/support/program/container-app-program.ts";
import { plainApp } from "../../test/support/program/container-app-shapes.ts";
import type { LocalStack, startLocalStack } from "../../test/support/program/local-stack.ts";
import { app, deployed, deployPlane, emit, type PreviewOf } from "./app-preview.ts";

const [checkout = "", folder = ""] = process.argv.slice(2);
/** The file of a checkout that starts the emulator and the control plane. */
const localStack = "test/support/program/local-stack.ts";
const report = (line: string): void => console.error(line);

/** Deploys the same app with the arguments that a CanaryApp took before it took those of a ContainerApp. */
async function deployEarlier(stack: LocalStack, ballast: Ballast): Promise<PreviewOf> {
  const { place, domain, releases } = await deployPlane(stack, report);
  report("Deploying an earlier CanaryApp");
  const [web] = plainApp(app, "1").template.containers;
  const args = {
    resourceGroup: place.resourceGroupName,
    location: "westeurope",
    environment: { id: place.managedEnvironmentId, domain },
    image: web!.image,
    variables: { RELEASE: "1" },
    maxReplicas: 2,
    ...releases,
  };
  const text = `
import { CanaryApp } from ${JSON.stringify(path.join(ballast.root, ballast.module))};
export const { result } = new CanaryApp(${JSON.stringify(app)}, ${JSON.stringify(args)});
`;
  return deployed(await containerAppProject(folder, stack.cloud.cloud.environment, ballast, text), {});
}

await emit(checkout);
const local = (await import(path.join(checkout, localStack))) as {
  readonly startLocalStack: typeof startLocalStack;
};
const ground = await local.startLocalStack({});
process.once("disconnect", () => void ground.close().finally(() => process.exit()));
const preview = await deployEarlier(ground, { ...fromPackage, root: checkout });
process.on("message", () => void preview().then((seen) => process.send?.(seen)));
process.send?.("deployed");
