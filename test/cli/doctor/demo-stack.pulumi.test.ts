// `ballast doctor` beside the demo, in a second terminal: the clone's folder, with the environment that the demo lends.
// The stack's file is in the demo's folder, since the clone's own has neither its secrets nor its ports.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalStack, startLocalStack } from "../../support/program/local-stack.ts";

const root = join(import.meta.dirname, "..", "..", "..");
let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack({});
  stack.lend({});
}, 300_000);
afterAll(async () => stack.close(), 60_000);

const shell = (line: string): Promise<{ status: number; stdout: string; stderr: string }> =>
  new Promise((resolve) =>
    execFile("sh", ["-c", line], { cwd: root }, (error, stdout, stderr) =>
      resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
    ),
  );

test.each([["--stack local"], [""]])(
  "doctor %s checks the stack that the demo runs",
  async (options) => {
    // The emulator runs in this process, so the command must not block it.
    const { status, stdout, stderr } = await shell(
      `. "${stack.folder}/environment" && "${process.execPath}" cli/main.ts doctor ${options} --json`,
    );
    const { stack: checked, findings } = JSON.parse(stdout) as { stack: string; findings?: { check: string }[] };
    expect([checked, (findings ?? []).length > 10], stderr).toEqual(["local", true]);
    expect(status).toBeLessThanOrEqual(1); // what is not deployed yet is unknown or failed
  },
  120_000,
);
