// `ballast doctor` beside the demo, in a second terminal: the clone's folder, with the environment that the demo lends.
// The stack's file is in the demo's folder, since the clone's own has neither its secrets nor its ports.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runChild } from "../../../toolchain/child.ts";
import { type LocalStack, startLocalStack } from "../../support/program/local-stack.ts";

const root = join(import.meta.dirname, "..", "..", "..");
let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack({});
  stack.lend({});
}, 300_000);
afterAll(async () => stack.close(), 60_000);

test.each([["--stack local"], [""]])(
  "doctor %s checks the stack that the demo runs",
  async (options) => {
    // The emulator runs in this process, so the command must not block it. On a slow machine it says on standard error
    // that it still works.
    const command = `"${process.execPath}" cli/main.ts doctor ${options} --json 2>/dev/null`;
    const line = `. "${stack.folder}/environment" && ${command}`;
    const { code, output } = await runChild("sh", ["-c", line], { cwd: root });
    // A finding may have the state "error"; a command that cannot work answers with a field of that name instead.
    const { stack: checked, findings, error } = JSON.parse(output) as Readonly<Record<string, any>>;
    expect(error).toBeUndefined();
    expect([checked, findings.length > 10]).toEqual(["local", true]);
    expect(code).toBeLessThanOrEqual(1); // what is not deployed yet is unknown or failed
  },
  120_000,
);
