// Every `pulumi` command on the pages is one that the real engine reads: its commands and options exist. Nothing is deployed here.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { bringEngine, type PulumiEngine } from "../../toolchain/pulumi/bring.ts";
import { ruleFor } from "../support/docs/command-rules.ts";
import { commandsOf, wordsOf } from "../support/docs/page-commands.ts";

const root = join(import.meta.dirname, "..", "..");
const commands = ["README.md", ...globSync(["docs/**/*.md", "examples/**/*.md"], { cwd: root })]
  .flatMap((page) => commandsOf(page, readFileSync(join(root, page), "utf8")))
  .filter((command) => {
    const rule = ruleFor(command);
    return rule !== undefined && "readBy" in rule && rule.readBy === "pulumi";
  });
const once = commands.filter(({ text }, at) => commands.findIndex((other) => other.text === text) === at);

let engine: PulumiEngine;
beforeAll(async () => {
  engine = await bringEngine();
});

/** Gives what the engine says of a command that is not carried out. It looks for what it does not know before it helps. */
const helpFor = (words: readonly string[]) =>
  spawnSync(engine.command, [...words, "--help"], {
    encoding: "utf8",
    env: { ...process.env, ...engine.environment, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });

const takesArguments = / [[<](?!flags\]|command\]|--\])/;

test.each(once)("$text on $page:$line is read by the engine", ({ text }) => {
  const [, ...words] = wordsOf(text);
  const options = words.findIndex((word) => word.startsWith("-"));
  const { status, stdout, stderr } = helpFor(words);
  expect([status, stderr]).toEqual([0, ""]);
  // What it does not know for a command it takes for an argument of the one before, which says whether it has any. Names may be another's aliases.
  const usage = /Usage:\n\s+pulumi ([^\n]*)/.exec(stdout)![1]!;
  const depth = usage.split(/ [[<]/)[0]!.split(" ").length;
  const named = words.slice(0, options === -1 ? undefined : options);
  expect([named[0], named.length >= depth]).toEqual([usage.split(" ")[0], true]);
  if (named.length > depth) expect(usage).toMatch(takesArguments);
});

test("an option and a command that there is not are found", () => {
  expect(helpFor(["up", "--fast"]).status).not.toBe(0);
  const { stdout } = helpFor(["stack", "lift"]);
  expect(stdout).toMatch(/Usage:\n\s+pulumi stack \[flags\]\n/);
  expect("stack [flags]").not.toMatch(takesArguments);
});
