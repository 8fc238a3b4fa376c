// Every `pulumi` command on the pages has a command and options that the real Pulumi CLI knows. Nothing is deployed
// here.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { bringPulumi, type PulumiCli } from "../../toolchain/pulumi/bring.ts";
import { ruleFor } from "../support/docs/command-rules.ts";
import { commandsOf, wordsOf } from "../support/docs/page-commands.ts";

const root = join(import.meta.dirname, "..", "..");
const commands = globSync(["*.md", "docs/**/*.md", "examples/**/*.md"], { cwd: root })
  .flatMap((page) => commandsOf(page, readFileSync(join(root, page), "utf8")))
  .filter((command) => {
    const rule = ruleFor(command);
    return rule !== undefined && "readBy" in rule && rule.readBy === "pulumi";
  });
const once = commands.filter(({ text }, at) => commands.findIndex((other) => other.text === text) === at);

let pulumiCli: PulumiCli;
beforeAll(async () => {
  pulumiCli = await bringPulumi();
});

/** Gives the Pulumi CLI's help for a command, which is not carried out. The CLI refuses what it does not know first. */
const helpFor = (words: readonly string[]) =>
  spawnSync(pulumiCli.command, [...words, "--help"], {
    encoding: "utf8",
    env: { ...process.env, ...pulumiCli.environment, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });

const takesArguments = / [[<](?!flags\]|command\]|--\])/;

test.each(once)("$text on $page:$line is read by the Pulumi CLI", ({ text }) => {
  const [, ...words] = wordsOf(text);
  const options = words.findIndex((word) => word.startsWith("-"));
  const { status, stdout, stderr } = helpFor(words);
  expect([status, stderr]).toEqual([0, ""]);
  // The CLI takes an unknown command for an argument of the one before, whose usage says whether it has any. A name may
  // be an alias.
  const usage = /Usage:\n\s+pulumi ([^\n]*)/.exec(stdout)![1]!;
  const depth = usage.split(/ [[<]/)[0]!.split(" ").length;
  const named = words.slice(0, options === -1 ? undefined : options);
  expect([named[0], named.length >= depth]).toEqual([usage.split(" ")[0], true]);
  if (named.length > depth) expect(usage).toMatch(takesArguments);
});

test("an unknown option and an unknown command are found", () => {
  expect(helpFor(["up", "--fast"]).status).not.toBe(0);
  const { stdout } = helpFor(["stack", "lift"]);
  expect(stdout).toMatch(/Usage:\n\s+pulumi stack \[flags\]\n/);
  expect("stack [flags]").not.toMatch(takesArguments);
});
