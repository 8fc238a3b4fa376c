// The options of `npm start`: what is read, and what is refused before anything starts.
import path from "node:path";
import { expect, test } from "vitest";
import { readOptions } from "../../demo/options.ts";

const root = path.join(import.meta.dirname, "..", "..");

test("without options, the standard story runs in the repository until Ctrl-C", () =>
  expect(readOptions([])).toEqual({
    only: undefined,
    seed: undefined,
    exit: false,
    folder: path.join(root, ".ballast"),
    out: path.join(root, "out", "demo.json"),
  }));

test("reads each option, with its value as the next argument or after an equals sign", () =>
  expect(readOptions(["--only", "rotation", "--seed", "7", "--exit", "--folder=/tmp/a", "--out", "b.json"])).toEqual({
    only: "rotation",
    seed: 7,
    exit: true,
    folder: "/tmp/a",
    out: "b.json",
  }));

test.each([
  ["demo-option-unclear", ["--sed", "7"], "there is no option --sed"],
  [
    "demo-option-unclear",
    ["--only", "sunset"],
    'there is no story "sunset"; the stories are: releases, rotation, remediation',
  ],
  ["demo-option-unclear", ["-x"], "there is no option -x"],
  ["demo-option-unclear", ["lucky"], '"lucky" is not an option'],
  ["demo-option-unclear", ["--", "lucky"], '"lucky" is not an option'],
  ["demo-option-unclear", ["--seed"], "--seed needs a value"],
  ["demo-option-unclear", ["--folder", "--exit"], "--folder needs a value"],
  ["demo-option-unclear", ["--exit=yes"], "--exit takes no value"],
  ["demo-seed-unclear", ["--seed", "lucky"], '"lucky" is not a whole number'],
  ["demo-seed-unclear", ["--seed", "4294967296"], '"4294967296" is not a whole number'],
])("refuses with %s and exit code 2 the arguments %j", (id, args, reason) =>
  expect(() => readOptions(args)).toThrow(
    expect.objectContaining({ id, exitCode: 2, message: expect.stringContaining(reason) }),
  ),
);
