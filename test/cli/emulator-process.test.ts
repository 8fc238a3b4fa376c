// Which process counts as the emulator of a folder: it may come from another installation of the package.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claim, folderStateOf } from "../../cli/emulator/folder.ts";

let place: string;
let folder: string;

beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), "ballast-process-"));
  folder = path.join(place, "my emulator");
  mkdirSync(folder);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

test.each([
  ["from another installation", "node_modules/ballast/dist/cli/emulator/process.js", "my emulator", "starting"],
  ["on the folder by another path", "clone/cli/emulator/process.js", "link", "starting"],
  ["on another folder", "clone/cli/emulator/process.js", "other", "down"],
  ["that is another program", "clone/cli/server.js", "my emulator", "down"],
])("a process %s", async (_what, program, on, kind) => {
  const file = path.join(place, program);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "process.stdout.write('runs'); setInterval(() => {}, 1000);");
  symlinkSync(folder, path.join(place, "link"));
  mkdirSync(path.join(place, "other"));
  const started = spawn(process.execPath, [file, path.join(place, on)], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await once(started.stdout, "data");
    writeFileSync(path.join(folder, "running.json"), JSON.stringify({ pid: started.pid, startedAt: "" }));
    expect(folderStateOf(folder).kind).toBe(kind);
    if (kind === "starting")
      expect(() => claim(folder)).toThrow(expect.objectContaining({ id: "cli-emulator-up-already" }));
  } finally {
    started.kill("SIGKILL");
  }
});
