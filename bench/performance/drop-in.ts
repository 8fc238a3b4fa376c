// Measures what a preview costs an app that becomes a CanaryApp: the same unchanged app as azure-native's ContainerApp,
// in a program that does not import Ballast, and as a CanaryApp of the package, each in a stack of its own on the
// emulator. Given an earlier commit, it measures that one's CanaryApp too. The previews take turns.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { containerAppProject, fromPackage } from "../../test/support/program/container-app-program.ts";
import { plainApp } from "../../test/support/program/container-app-shapes.ts";
import { type LocalStack, startLocalStack } from "../../test/support/program/local-stack.ts";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import { type AppPreview, app, deployed, deployPlane, emit, type PreviewOf } from "./app-preview.ts";
import { takeTurns } from "./turns.ts";

/** What the app is declared as; `earlier` is the CanaryApp of an earlier commit. */
export const declarations = ["ContainerApp", "earlier", "CanaryApp"] as const;
export type Declaration = (typeof declarations)[number];

/** The previews of each declaration, and the version of the Pulumi CLI. */
export interface DroppedIn {
  readonly pulumiCli: string;
  readonly previews: Readonly<Partial<Record<Declaration, readonly AppPreview[]>>>;
}

/**
 * Deploys the app as each declaration, and previews all for a number of rounds.
 *
 * @param earlier The folder of a checkout of the earlier commit, after `npm ci`.
 */
export async function measureDropIn(
  rounds: number,
  report: (line: string) => void,
  earlier?: string,
): Promise<DroppedIn> {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-drop-in-"));
  const opened: (() => Promise<void>)[] = [];
  try {
    const { version: pulumiCli } = await bringPulumi();
    await emit(fromPackage.root);
    const stack = await startLocalStack({});
    opened.push(stack.close);
    const previews = new Map(await deployBoth(stack, folder, report));
    if (earlier !== undefined) {
      report("Deploying an earlier CanaryApp");
      const { preview, close } = await startEarlier(earlier, folder);
      opened.push(close);
      previews.set("earlier", preview);
    }
    const said = (round: string): void => report(`Previews of one app, ${round}`);
    const names = declarations.filter((name) => previews.has(name));
    return { pulumiCli, previews: await takeTurns(names, rounds, (name) => previews.get(name)!(), said) };
  } finally {
    for (const close of opened) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function deployBoth(
  stack: LocalStack,
  folder: string,
  report: (line: string) => void,
): Promise<readonly (readonly [Declaration, PreviewOf])[]> {
  const { place, releases } = await deployPlane(stack, report);
  const deploy = async (declaration: Declaration, name: string, more: object) => {
    report(`Deploying a ${declaration}`);
    const own = path.join(folder, declaration);
    mkdirSync(own);
    const project = await containerAppProject(own, stack.cloud.cloud.environment, fromPackage);
    const config = { app: { ...place, ...plainApp(name, "1") }, copies: [], ...more };
    return [declaration, await deployed(project, config)] as const;
  };
  return [await deploy("ContainerApp", "plain", {}), await deploy("CanaryApp", app, { releases })];
}

/** Deploys the app of an earlier commit in a process of its own. */
async function startEarlier(
  checkout: string,
  folder: string,
): Promise<{ readonly preview: PreviewOf; readonly close: () => Promise<void> }> {
  const own = path.join(folder, "earlier");
  mkdirSync(own);
  const child = fork(path.join(import.meta.dirname, "earlier.ts"), [checkout, own]);
  const ended = once(child, "exit");
  const answer = async (): Promise<unknown> => {
    const [seen] = await Promise.race([
      once(child, "message"),
      ended.then(() => Promise.reject(new Error("The earlier CanaryApp could not be measured."))),
    ]);
    return seen;
  };
  await answer();
  return {
    preview: async () => {
      child.send("preview");
      return (await answer()) as AppPreview;
    },
    close: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
