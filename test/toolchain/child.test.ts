// How a child process ends, whatever it did before.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { endChild } from "../../toolchain/child.ts";

function start(script: string): ChildProcess {
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

// Ctrl-C ends the children of a terminal's process group before the demo takes them down.
test.each([
  ["a signal", "kill -INT $$"],
  ["its own exit", "exit 3"],
])("a child that was ended by %s before is not waited for", async (_how, script) => {
  const child = start(script);
  await once(child, "exit");
  await endChild(child, { signal: "SIGKILL" });
  await endChild(child);
  expect(child.exitCode ?? child.signalCode).not.toBeNull();
});

test.each([
  {
    ends: "by its signal",
    script: "echo up; exec sleep 60",
    how: { signal: "SIGTERM" },
    signal: "SIGTERM",
    code: null,
  },
  { ends: "when its input closes", script: "echo up; exec cat", how: {}, signal: null, code: 0 },
  {
    ends: "killed, if it outlives its grace",
    script: "trap '' TERM; echo up; exec sleep 60",
    how: { signal: "SIGTERM", graceSeconds: 0.05 },
    signal: "SIGKILL",
    code: null,
  },
] as const)("a child that runs ends $ends", async ({ script, how, signal, code }) => {
  const child = start(script);
  await once(child.stdout!, "data");
  await endChild(child, how);
  expect([child.exitCode, child.signalCode]).toEqual([code, signal]);
});

// A wait that begins after the exit never ends, and with it the takedown.
test("the demo waits for no exit of a child by itself", () => {
  const folder = path.join(import.meta.dirname, "..", "..", "demo");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(20);
  const awaited = /\bonce\([\w.]+, "(exit|close)"\)/;
  expect(files.filter((file) => awaited.test(readFileSync(path.join(folder, file), "utf8")))).toEqual([]);
  expect('const ended = once(plane.child, "exit");').toMatch(awaited);
});
