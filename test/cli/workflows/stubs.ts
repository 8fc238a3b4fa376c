// What the reusable workflows call, as stubs that write a journal: the actions, the Pulumi CLI, `ballast`, npm and the
// Azure CLI. A case says what a stub prints and how it ends; without a word it succeeds and prints nothing.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { findOnPath } from "../../../toolchain/pulumi/version.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** The pin table: commits of actions by their names. */
export const pins = JSON.parse(readFileSync(join(root, ".github", "pins.json"), "utf8")) as Readonly<
  Record<string, { readonly version: string; readonly commit: string }>
>;

/**
 * Gives a workflow in the form that runners without the syntax of 2026 read: references to its own repository begin
 * with `./`, and a queue is not named.
 */
export const compatForm = (text: string): string =>
  text.replaceAll("uses: $/", "uses: ./").replaceAll(/\n *queue: max.*/g, "");

/** Runs git in a folder, as nobody in particular. */
export const git = (folder: string, ...args: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
    cwd: folder,
    encoding: "utf8",
  }).trim();

/** Makes a repository with a project and the workflows in their compatible form. @returns its two commits */
export function makeRepository(folder: string): readonly [first: string, second: string] {
  const target = join(folder, ".github");
  cpSync(join(root, ".github"), target, { recursive: true });
  for (const name of readdirSync(target, { recursive: true }).map(String))
    if (name.endsWith(".yml")) {
      const path = join(target, name);
      writeFileSync(path, compatForm(readFileSync(path, "utf8")));
    }
  const below = join(folder, "infra", "eu");
  mkdirSync(below, { recursive: true });
  for (const at of [folder, below]) writeFileSync(join(at, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  writeFileSync(join(folder, ".gitignore"), "node_modules\nevidence\n");
  git(folder, "init", "--quiet", "--initial-branch", "main");
  git(folder, "add", ".");
  git(folder, "commit", "--quiet", "--message", "one");
  const first = git(folder, "rev-parse", "HEAD");
  git(folder, "commit", "--quiet", "--allow-empty", "--message", "two");
  return [first, git(folder, "rev-parse", "HEAD")];
}

/** Writes what was called, and whether a trace was handed on, then does what the case says. */
const command = `#!/bin/sh
name=$(basename "$0")
echo "$name $*\${TRACEPARENT:+ (traced)}" >> "$JOURNAL"
for key in "$name-$1-$2" "$name-$1" "$name"; do
  [ ! -f "$OUTCOMES/$key" ] || . "$OUTCOMES/$key"
done
exit 0
`;

/** Puts `ballast` where the packages of a project have it. */
const npm = `#!/bin/sh
echo "npm $*" >> "$JOURNAL"
mkdir -p node_modules/.bin
ln -sf "$STUBS/ballast-stub/ballast" node_modules/.bin/ballast
`;

/** Reads one field, so that a machine without jq can run the cases. */
const jq = `#!/usr/bin/env node
const [expression, file] = process.argv.slice(3);
const text = require("node:fs").readFileSync(file ?? 0, "utf8").trim();
for (const line of text === "" ? [] : text.split("\\n")) {
  const value = JSON.parse(line)[expression.slice(1)];
  console.log(value === undefined || value === null ? "null" : String(value));
}
`;

/** Makes the folder of commands, to stand first on the path. */
export function makeCommands(folder: string): void {
  mkdirSync(join(folder, "ballast-stub"), { recursive: true });
  writeCommands(folder, { pulumi: command, az: command, npm, "ballast-stub/ballast": command });
  makeJq(folder);
}

/** Puts a `jq` into a folder of commands if the machine has none. */
export function makeJq(folder: string): void {
  if (findOnPath("jq", process.env["PATH"]) === undefined) writeCommands(folder, { jq });
}

function writeCommands(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
}

/** Inputs of an action that a case compares. */
const told: Readonly<Record<string, readonly string[]>> = {
  "actions/checkout": ["ref"],
  "actions/upload-artifact": ["name"],
  "actions/attest-build-provenance": ["subject-digest"],
  "actions/attest-sbom": ["subject-digest"],
  "anchore/sbom-action": ["image"],
  "azure/login": ["client-id"],
  "pulumi/actions": ["pulumi-version"],
};

/** Gives the file of an action that writes what it was told, and fails if the case says so. */
function actionFile(action: string, inputs: readonly string[]): string {
  const values = inputs.map((input) => `\${{ inputs.${input} }}`).join(" ");
  const run = [
    `echo "${action} $TOLD" >> "$JOURNAL"`,
    `[ ! -f "$OUTCOMES/${action.replace("/", "-")}" ]`,
    ...(action === "actions/checkout"
      ? ['git clone --quiet "$REPOSITORY_FOLDER" .', 'git checkout --quiet "$TOLD"']
      : []),
    // Where an emulator of Azure knows the identity, the job signs in by its own token.
    ...(action === "azure/login"
      ? ['[ -z "${ID_TOKENS:-}" ] || CLIENT_ID="$TOLD" node "$STORY_ROOT/test/cli/workflows/federated-login.ts"']
      : []),
    ...(action === "actions/upload-artifact"
      ? ['[ ! -d evidence ] || { rm -rf "$ARTIFACTS/$TOLD"; cp -r evidence "$ARTIFACTS/$TOLD"; }']
      : []),
  ];
  return stringify({
    name: action,
    inputs: Object.fromEntries(inputs.map((input) => [input, {}])),
    runs: { using: "composite", steps: [{ shell: "bash", env: { TOLD: values }, run: run.join("\n") }] },
  });
}

/** Makes a repository for each action of the pin table. @returns what act is told about them */
export function makeActions(folder: string): readonly string[] {
  return Object.entries(pins).map(([action, { commit }]) => {
    const at = join(folder, action.replace("/", "-"));
    mkdirSync(at, { recursive: true });
    const inputs = told[action] ?? [];
    writeFileSync(join(at, "action.yml"), actionFile(action, inputs));
    git(at, "init", "--quiet");
    git(at, "add", ".");
    git(at, "commit", "--quiet", "--message", "a stub");
    return `${action}@${commit}=${at}`;
  });
}
