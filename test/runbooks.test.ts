// The runbooks are run: each block of commands on the page, line by line and as it stands, in the situation that its place on the page is for. The control
// plane has canned answers, the cloud is the stand-in, and the engine is a script that tells what one would of the stack.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { tell } from "../controlplane/engines/rollout/tell.ts";
import { startFakeControlPlane, token, type FakeControlPlane } from "./support/fake-control-plane.ts";
import { startCloudForTests, type CloudForTests } from "./support/local-cloud.ts";
import { run } from "./support/pure-world.ts";
import { releaseInputs } from "./support/release-inputs.ts";
import { scenarios } from "./support/scenario.ts";
import { stackConfig } from "./support/stack-config.ts";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs", "runbooks.md"), "utf8");
type Situation = "in flight" | "rolled back" | "stranded" | "gone" | "back";

/** What each block of a chapter finds, in the order of the page. */
const situations: Readonly<Record<string, readonly Situation[]>> = {
  "Stuck rollout": ["in flight", "in flight", "in flight", "in flight", "in flight", "rolled back"],
  "Lost control plane": ["gone", "back", "in flight", "rolled back"],
  "Wrong verdict": ["rolled back", "rolled back", "in flight", "in flight", "in flight"],
  "Rollback blocked": ["stranded", "in flight", "stranded", "in flight"],
  "Failing app": ["in flight", "in flight", "rolled back"],
};

interface Block { readonly chapter: string; readonly place: number; readonly commands: readonly string[] }

/** Gives the blocks of the page with the chapter that each is in. */
const blocks: readonly Block[] = page.split(/^## /m).slice(1).flatMap((text) =>
  [...text.matchAll(/^```\n([^]*?)^```$/gm)].map(([, lines], place) => ({ chapter: text.split("\n")[0]!, place, commands: lines!.trim().split("\n") })));

let plane: FakeControlPlane, cloud: CloudForTests, folder: string;
beforeAll(async () => { cloud = await startCloudForTests(); });
afterAll(() => cloud?.close());
beforeEach(async () => {
  plane = await startFakeControlPlane();
  folder = mkdtempSync(join(tmpdir(), "ballast-runbooks-"));
  const config = JSON.stringify(Object.fromEntries(Object.entries(settings()).map(([key, value]) => [key, { value, secret: key.endsWith("Password") }])));
  writeFileSync(join(folder, "config.json"), config);
  writeFileSync(join(folder, "outputs.json"), JSON.stringify({ controlPlaneEndpoint: plane.endpoint }));
  writeFileSync(join(folder, "pulumi"), `#!/bin/sh\ncase "$1" in version) echo v3.259.0;; config) cat "${folder}/config.json";; *) case "$3" in --json) cat "${folder}/outputs.json";; *) echo "${plane.endpoint}";; esac;; esac\n`, { mode: 0o755 });
  writeFileSync(join(folder, "ballast"), `#!/bin/sh\nexec "${process.execPath}" "${join(root, "cli", "main.ts")}" "$@"\n`, { mode: 0o755 });
});
afterEach(async () => {
  await plane.stop().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

/** The stack's whole configuration, as the engine lists it. */
const settings = (): Record<string, string> => stackConfig({ ...(parse(readFileSync(join(root, "Pulumi.local.yaml"), "utf8")) as { config: Record<string, unknown> }).config, "ballast:databasePassword": "not shown" });

async function arrange(situation: Situation): Promise<void> {
  const [scenario] = scenarios().filter(({ name }) => name === "aborts-when-failures-exceed-the-limit");
  const facts = run(scenario!).journal.map((event) => ({ kind: event.kind, text: tell(event), event }));
  const isOpen = situation === "in flight" || situation === "back";
  plane.scripts.set("one", { facts, result: situation === "stranded" ? "stranded" : "rolled-back", sentence: "canary fails 43.8 percent", ...(isOpen ? { pausesAt: facts.length - 1 } : {}) });
  const { release, pace, limits, probePath } = releaseInputs(plane.endpoint);
  await fetch(`${plane.endpoint}/rollouts/rg/storefront/r1`, { method: "PUT", headers: { authorization: `Bearer ${token}` }, body: JSON.stringify({ release, pace, limits, probePath }) });
  if (situation === "gone") await plane.stop();
}

async function inShell(command: string): Promise<{ readonly code: number; readonly said: string }> {
  const { BALLAST_ENDPOINT: _, ...inherited } = process.env;
  const child = spawn("sh", ["-c", command], { cwd: folder, env: { ...inherited, ...cloud.cloud.environment, BALLAST_TOKEN: token, PATH: `${folder}:${process.env["PATH"]}` }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => { said += String(bytes); });
  const [code] = (await once(child, "close")) as [number];
  return { code, said };
}

test("the page has the chapters that are run here, block by block, and no command outside of a block", () => {
  expect(Object.fromEntries(Object.keys(situations).map((chapter) => [chapter, blocks.filter((block) => block.chapter === chapter).length])))
    .toEqual(Object.fromEntries(Object.entries(situations).map(([chapter, each]) => [chapter, each.length])));
  expect(blocks.flatMap(({ commands }) => commands).filter((command) => !command.startsWith("ballast "))).toEqual([]);
  expect([...page.replaceAll(/^```\n[^]*?^```$/gm, "").matchAll(/`(ballast \w[^`]*)`/g)].map(([, command]) => command)).toEqual([]);
});

test.each(blocks)("what is on the page under $chapter, block $place, is done as it stands", async ({ chapter, place, commands }) => {
  await arrange(situations[chapter]![place]!);
  for (const command of commands) {
    const { code, said } = await inShell(command);
    const [, expected = "0"] = /# exits with (\d)$/.exec(command) ?? [];
    expect(`exit ${code}: ${said}`).toMatch(new RegExp(`^exit ${expected}: `));
    if (expected !== "0") expect(said).toContain("release-control-plane-unreachable");
    const [, signal] = /^ballast release (approve|resume|promote|abort|retry) /.exec(command) ?? [];
    if (signal !== undefined) expect(plane.asked).toContain("POST /rollouts/rg/storefront/r1/signals");
  }
});
