// What every command has in common: help in two ways with the exit codes, `--json` also for usage errors, and the
// scripts that complete commands in a shell. Bash completes as for a person: by the function that was registered.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { completionScript } from "../../cli/completion.ts";
import { withExitCodes, withHelpLast } from "../../cli/help.ts";
import { exitCodeMeanings } from "../../errors/catalogue.ts";
import { ballastProgram } from "../../toolchain/package/reference-commands.ts";
import { runBallast } from "../support/controlplane/ballast-command.ts";

const program = withExitCodes(ballastProgram());
const within = (command: Command, route: readonly string[]): readonly (readonly [readonly string[], Command])[] =>
  command.commands.flatMap((each) => {
    const name = [...route, each.name()];
    return [[name, each as Command] as const, ...within(each as Command, name)];
  });
const all = within(program, []);
const leaves = all.filter(([, command]) => command.commands.length === 0);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-line-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ballast = (...args: readonly string[]) => runBallast(args, folder);

/** Gives what the parser prints, and how it ends. */
function parsed(args: readonly string[]): readonly [code: string, text: string] {
  const fresh = withExitCodes(ballastProgram());
  let text = "";
  const add = (said: string): void => {
    text += said;
  };
  const listen = (command: Command): void => {
    command.configureOutput({ writeOut: add, writeErr: add });
    for (const each of command.commands) listen(each as Command);
  };
  listen(fresh);
  try {
    fresh.parse(withHelpLast(fresh, args), { from: "user" });
    return ["none", text];
  } catch (error) {
    return [(error as { code: string }).code, text];
  }
}

test.each(all.map(([route]) => [route.join(" "), route] as const))(
  "the help of %s is the same in both ways, and gives every exit code",
  (name, route) => {
    const [code, text] = parsed([...route, "--help"]);
    expect([code, text.startsWith(`Usage: ballast ${name}`)]).toEqual(["commander.helpDisplayed", true]);
    expect(parsed(["help", ...route])).toEqual([code, text]);
    for (const [exit, meaning] of Object.entries(exitCodeMeanings)) expect(text).toContain(`\n  ${exit}  ${meaning}`);
  },
);

test.each([
  ["a command that sends nothing", ["cli", "main.ts"], ["release", "list", "--help"]],
  ["the provider", ["provider", "main.ts"], ["127.0.0.1:1"]],
] as const)("%s starts without undici, which would take a third of its start", (_name, entry, args) => {
  const counts = join(folder, "counts.cjs");
  writeFileSync(
    counts,
    'process.on("exit", () => console.error(Object.keys(require.cache).filter((file) => /undici/.test(file))));',
  );
  const main = join(import.meta.dirname, "..", "..", ...entry);
  // The provider ends with its standard input.
  const { status, stderr } = spawnSync(process.execPath, ["--require", counts, main, ...args], {
    input: "",
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, "[]\n"]);
});

test("a command that does not exist has no help, in the program and in a group", () => {
  expect(parsed(["help", "relese"])[0]).toBe("commander.unknownCommand");
  expect(parsed(["help", "release", "lsit"])[0]).toBe("commander.unknownCommand");
  expect(parsed(["help"])[0]).toBe("commander.helpDisplayed");
});

test.each(leaves.map(([route, command]) => [route.join(" "), command] as const))(
  "%s has --json, which is one of its formats if it has some",
  (_name, command) => {
    expect(command.options.map(({ long }) => long)).toContain("--json");
    expect(command.options.find(({ long }) => long === "--format")?.argChoices ?? ["json"]).toContain("json");
  },
);

test.each([
  [["release", "--json"]],
  [["release", "list", "--bogus", "--json"]],
  [["--json", "bogus"]],
  [["help", "relese", "--json"]],
  [["release", "abort", "shop", "--json"]],
  [["completion", "tcsh", "--json"]],
])("a usage error of %j is JSON on standard output, with exit code 2", async (args) => {
  const { code, out, err } = await ballast(...args);
  expect([code, err]).toEqual([2, ""]);
  expect(JSON.parse(out)).toMatchObject({
    error: { id: "cli-usage-wrong", message: expect.stringMatching(/\.( \(Did you mean release\?\))?$/) },
  });
});

/** Gives what bash offers for a line with the cursor at its end, by the function that `complete` registered. */
function completions(line: string): readonly string[] {
  const words = line.split(" ");
  const file = join(folder, "complete.bash");
  writeFileSync(
    file,
    `${completionScript(ballastProgram(), "bash")}
[ "$(complete -p ballast)" = "complete -o default -F _ballast ballast" ] || exit 9
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}
_ballast ballast "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"
`,
  );
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "--noprofile", file], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter(Boolean);
}

test("bash completes commands, commands of groups, options and the values of options", () => {
  expect(completions("ballast rel")).toEqual(["release"]);
  expect(completions("ballast release ab")).toEqual(["abort"]);
  expect(completions("ballast release abort storefront --me")).toEqual(["--message"]);
  expect(completions("ballast --json release list --res")).toEqual(["--resource-group"]);
  expect(completions("ballast help release li")).toEqual(["list"]);
  expect(completions("ballast sign-in grant --role Rollout.W")).toEqual(["Rollout.Write"]);
  expect(completions("ballast completion f")).toEqual(["fish"]);
  expect(completions("ballast release abort sto")).toEqual([]); // names are not known without the control plane
});

test.each(all.map(([route, command]) => [route.join(" "), route, command] as const))(
  "bash, zsh and fish know %s and its options",
  (name, route, command) => {
    expect(completions(["ballast", ...route].join(" "))).toContain(route.at(-1));
    const offered = completions(["ballast", ...route, "--"].join(" "));
    const zsh = completionScript(ballastProgram(), "zsh");
    const fish = completionScript(ballastProgram(), "fish");
    for (const { long } of command.options.filter(({ hidden }) => !hidden)) {
      expect(offered).toContain(long);
      expect(zsh).toMatch(new RegExp(`^ +'${name}'\\) .*'${long}:`, "m"));
      expect(fish).toMatch(new RegExp(`__ballast_at "${name}"' -l ${long!.slice(2)}\\b`));
    }
  },
);

test.each(["bash", "zsh", "fish"] as const)("ballast completion %s prints a script for it", async (shell) => {
  const { code, out } = await ballast("completion", shell);
  expect(code).toBe(0);
  for (const [route] of leaves) expect(out).toContain(route.join(" "));
  expect(JSON.parse((await ballast("completion", shell, "--json")).out)).toEqual({ shell, script: out.trimEnd() });
  const read = spawnSync(shell, ["-n"], { input: out, encoding: "utf8" });
  // Only bash is on every machine.
  if (shell === "bash" || read.error === undefined) expect([read.status, read.stderr]).toEqual([0, ""]);
});

test("cli-file-refused: a file that cannot be written is named, without a stack", async () => {
  writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  writeFileSync(join(folder, "Pulumi.dev.yaml"), "config: {}\n");
  writeFileSync(join(folder, ".github"), "no folder");
  const source = `owner/name@${"a".repeat(40)}`;
  const { code, out } = await ballast("workflows", "init", "--source", source, "--json");
  const { error } = JSON.parse(out) as { readonly error: { readonly id: string; readonly message: string } };
  expect([code, error.id]).toEqual([2, "cli-file-refused"]);
  expect(error.message).toMatch(/\.github\S* cannot be used: E[A-Z]+: /);
});
