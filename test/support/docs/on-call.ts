// The situation of a person on call: a control plane with canned answers in one of six situations, the emulator, a
// script in place of the Pulumi CLI that prints the stack's outputs, and a shell in which `ballast` is a command.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { bindAudience } from "../../../bind-audience.ts";
import type { RemediationSummary } from "../../../engines/remediation/summary.ts";
import { messageOf } from "../../../engines/rollout/tell.ts";
import { type FakeControlPlane, startFakeControlPlane, token } from "../controlplane/fake-control-plane.ts";
import type { CloudForTests } from "../emulator/cloud.ts";
import { releaseInputs } from "../program/release-inputs.ts";
import { stackConfig } from "../program/stack-config.ts";
import { run } from "../worlds/pure-world.ts";
import { scenarios } from "../worlds/scenario.ts";

const root = join(import.meta.dirname, "..", "..", "..");

export type Situation = "in flight" | "rolled back" | "degraded" | "gone" | "back" | "remediating";

export interface OnCall {
  readonly plane: FakeControlPlane;
  /** The folder with the scripts, in which the shell starts. */
  readonly folder: string;
  /** Puts the only rollout into a situation. */
  readonly arrange: (situation: Situation) => Promise<void>;
  /** Runs a command in the folder of the scripts, or in another one. */
  readonly inShell: (command: string, at?: string) => Promise<{ readonly code: number; readonly said: string }>;
  readonly close: () => Promise<void>;
}

/** The facts of the rollout: a release that is rolled back. */
export const { journal: facts } = await run(
  scenarios().find(({ name }) => name === "aborts-when-failures-exceed-the-limit")!,
);

/** The stack's whole configuration, as the Pulumi CLI lists it. */
const settings = (): Record<string, string> =>
  stackConfig({
    ...(parse(readFileSync(join(root, "Pulumi.local.yaml"), "utf8")) as { config: Record<string, unknown> }).config,
    "ballast:databasePassword": "not shown",
  });

/** The stack's outputs, as the Pulumi CLI prints them. */
const outputsOf = ({ endpoint }: FakeControlPlane): object => ({
  controlPlaneEndpoint: endpoint,
  controlPlaneAudience: "api://ballast",
  controlPlaneBinding: bindAudience(endpoint, "api://ballast"),
});

const paused = { by: "Ann", message: "restarts make it worse", until: Date.parse("2030-01-05T11:00:00Z") };
const remediation: RemediationSummary = {
  id: "remediation/app/shop/web/66114d64-d9d9-478b-95c9-b789d6502100",
  target: "app/shop/web",
  rule: "app-failing",
  severity: 1,
  origin: "alert",
  owner: "shop team",
  phase: "verifying",
  runbook: "restart-revision",
  actions: 1,
  paused: false,
  trace: null,
  result: null,
  reason: null,
  message: "the replicas of web--1 were restarted",
  startedAt: Date.parse("2030-01-05T09:00:00Z"),
  facts: 12,
};

/** The calls about remediations, of which one is in flight. */
const remediationAnswers: Readonly<Record<string, object>> = {
  "GET /remediations": { remediations: [remediation] },
  "GET /remediations/pause": { paused: null },
  "POST /remediations/pause": { paused },
  "POST /remediations/resume": { wasPaused: true },
};

const answerRemediations: FakeControlPlane["answerInstead"] = ({ method, url = "" }, response) => {
  const found = remediationAnswers[`${method} ${url.split("?")[0]}`];
  response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(found ?? {}));
};

/** Writes the scripts `pulumi` and `ballast`. */
function writeScripts(folder: string, plane: FakeControlPlane): void {
  const config = JSON.stringify(
    Object.fromEntries(
      Object.entries(settings()).map(([key, value]) => [key, { value, secret: key.endsWith("Password") }]),
    ),
  );
  writeFileSync(join(folder, "config.json"), config);
  writeFileSync(join(folder, "outputs.json"), JSON.stringify(outputsOf(plane)));
  writeFileSync(
    join(folder, "pulumi"),
    [
      '#!/bin/sh\ncase "$1" in',
      "version) echo v3.259.0;;",
      `config) cat "${folder}/config.json";;`,
      `*) cat "${folder}/outputs.json";;`,
      "esac\n",
    ].join("\n"),
    { mode: 0o755 },
  );
  writeFileSync(
    join(folder, "ballast"),
    `#!/bin/sh\nexec "${process.execPath}" "${join(root, "cli", "main.ts")}" "$@"\n`,
    { mode: 0o755 },
  );
}

/** Starts the control plane and writes the scripts. */
export async function goOnCall({ cloud }: CloudForTests): Promise<OnCall> {
  const plane = await startFakeControlPlane();
  const folder = mkdtempSync(join(tmpdir(), "ballast-on-call-"));
  writeScripts(folder, plane);
  return {
    plane,
    folder,
    arrange: async (situation) => {
      if (situation === "remediating") {
        plane.answerInstead = answerRemediations;
        return;
      }
      const told = facts.map((event) => ({ kind: event.kind, message: messageOf(event), event }));
      const isOpen = situation === "in flight" || situation === "back";
      plane.scripts.set("one", {
        facts: told,
        result: situation === "degraded" ? "degraded" : "rolled-back",
        message: "canary fails 43.8 percent",
        ...(isOpen ? { pausesAt: told.length - 1 } : {}),
      });
      const { release, strategy, thresholds, probePath } = releaseInputs(plane.endpoint);
      await fetch(`${plane.endpoint}/rollouts/rg/storefront/r1`, {
        method: "PUT",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ release, strategy, thresholds, probePath }),
      });
      if (situation === "gone") await plane.stop();
    },
    inShell: async (command, at = folder) => {
      const { BALLAST_ENDPOINT: _endpoint, FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
      const environment = {
        ...inherited,
        ...cloud.environment,
        BALLAST_TOKEN: token,
        PATH: `${folder}:${process.env["PATH"]}`,
      };
      const child = spawn("sh", ["-c", command], { cwd: at, env: environment, stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (bytes: Buffer) => {
          said += String(bytes);
        });
      const [code] = (await once(child, "close")) as [number];
      return { code, said };
    },
    close: async () => {
      await plane.stop().catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
