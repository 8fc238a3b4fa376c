// The commands of proofs/ tell their options, and say what is wrong with one, without a stack trace.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runChild } from "../../toolchain/child.ts";

const root = join(import.meta.dirname, "..", "..");
const year = (option: string) =>
  runChild(process.execPath, ["proofs/simulator/years.ts", option], { environment: { PATH: process.env["PATH"] } });

test("`--help` tells what a command does, and a wrong option ends it with exit code 2", async () => {
  const help = await year("--help");
  expect(help).toEqual({ code: 0, output: expect.stringMatching(/^npm run simulate:year[^]*--credentials NUMBER/) });
  expect(await year("--seedz")).toEqual({ code: 2, output: `Unknown option '--seedz'\n\n${help.output}` });
});

test("every command of the folder reads its options so", () => {
  const reads = globSync("proofs/**/*.ts", { cwd: root }).filter((file) =>
    readFileSync(join(root, file), "utf8").includes("parseArgs("),
  );
  expect(reads).toEqual(["proofs/command-line.ts"]);
});
