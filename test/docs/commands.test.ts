// Every command on every page of the documentation works. Each is run here, shown by a test that runs it, or read by
// the program that it calls, as the table in test/support/docs/command-rules.ts says. A command without a rule fails
// here, with its page and line. commands.pulumi.test.ts has the real Pulumi CLI read its own commands.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { commandNames, complaintOf } from "../support/docs/ballast-grammar.ts";
import { type Rule, ruleFor, rules } from "../support/docs/command-rules.ts";
import { facts, goOnCall, type OnCall } from "../support/docs/on-call.ts";
import { commandsOf, type PageCommand, wordsOf } from "../support/docs/page-commands.ts";
import { type CloudForTests, rawClient, startCloudForTests } from "../support/emulator/cloud.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { cloneInto } from "../support/repository/clone.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const pages = globSync(["*.md", "docs/**/*.md", "examples/**/*.md"], { cwd: root }).sort();
const commands = pages.flatMap((page) => commandsOf(page, read(page)));
const scripts = (JSON.parse(read("package.json")) as { scripts: Readonly<Record<string, string>> }).scripts;

/** Gives the commands whose rule has this key, each text once, with its first place. */
function by<Key extends string>(
  key: Key,
): readonly (PageCommand & { readonly rule: Extract<Rule, { readonly [_ in Key]: unknown }> })[] {
  const found = commands.flatMap((command) => {
    const rule = ruleFor(command);
    return rule !== undefined && key in rule
      ? [{ ...command, rule: rule as Extract<Rule, { readonly [_ in Key]: unknown }> }]
      : [];
  });
  return found.filter(({ text }, at) => found.findIndex((other) => other.text === text) === at);
}
const runIn = (where: string) => by("runs").filter(({ rule }) => rule.runs === where);
const readBy = (program: string) => by("readBy").filter(({ rule }) => rule.readBy === program);

/** Gives a command with the rule's replacements, and a word in place of each placeholder in `< >`. */
const here = (text: string, instead: readonly (readonly [string, string])[] = []): string =>
  instead.reduce((words, [page, other]) => words.replaceAll(page, other), text).replaceAll(/<[^>]+>/g, "placeholder");

test("every command on a page has a rule, and every rule has a command", () => {
  expect(commands.length).toBeGreaterThan(150);
  expect(
    commands
      .filter((command) => ruleFor(command) === undefined)
      .map(({ page, line, text }) => `${page}:${line}  ${text}`),
  ).toEqual([]);
  expect(
    rules
      .filter((rule) => !commands.some((command) => ruleFor(command) === rule))
      .map(({ command }) => String(command)),
  ).toEqual([]);
});

test("the reader finds commands in blocks, prose, continued lines, substitutions and consoles", () => {
  const page = [
    "Run `npm ci`, or `npm`, or\n`ballast power --x\n1`; `git` is `node:fs`.\n",
    "```sh\naz a --b \\\n  c $(az d e)  # why\nnpm ci && npm test\nls | git diff\n```",
    "```console\n$ ballast power\nyes\nno\n```",
    "```js\nnpm ci\n```",
    "| `a` | `. here` |\n",
  ].join("\n");
  expect(commandsOf("p", page).map(({ line, text, inBlock, answer }) => [line, text, inBlock, answer])).toEqual([
    [1, "npm ci", false, undefined],
    [2, "ballast power --x 1", false, undefined],
    [6, "az a --b c $(az d e)", true, undefined],
    [6, "az d e", true, undefined],
    [8, "npm ci", true, undefined],
    [8, "npm test", true, undefined],
    [9, "git diff", true, undefined],
    [12, "ballast power", true, "yes\nno\n"],
    [19, ". here", false, undefined],
  ]);
  expect(wordsOf("a b > c.log &")).toEqual(["a", "b"]);
  expect(wordsOf(`a --b "c d" '**::e' $(f g) <h i> x/<j>/k < l`)).toEqual([
    "a",
    "--b",
    "c d",
    "**::e",
    "$(f g)",
    "<h i>",
    "x/<j>/k",
  ]);
});

describe("`ballast` accepts", () => {
  const ours = commands.flatMap((command) => {
    const [, words] = /^(?:npm run ballast(?: --)?|npx ballast|ballast)(?: (.*))?$/.exec(command.text) ?? [];
    return words === undefined ? [] : [{ ...command, words: wordsOf(words) }];
  });
  test.each(ours)("$text on $page:$line", async ({ words, inBlock }) => {
    const alternatives = words.find((word) => /^\w+(\|\w+)+$/.test(word))?.split("|") ?? [undefined];
    for (const each of alternatives)
      expect(
        await complaintOf(
          words.map((word) => (each !== undefined && word.includes("|") ? each : word)),
          inBlock,
        ),
      ).toBe(undefined);
  });
  test("exactly the commands that its help lists", () => {
    const [, said] = /Commands:\n([^]*?)\n\n/.exec(
      spawnSync(process.execPath, [join(root, "cli", "main.ts"), "--help"], { encoding: "utf8" }).stdout,
    )!;
    const names = [...said!.matchAll(/^ {2}([a-z]\S*)/gm)].map(([, name]) => name).filter((name) => name !== "help");
    expect(names.toSorted()).toEqual([...new Set(commandNames().map((name) => name.split(" ")[0]))].toSorted());
  });
  test("no unknown option, command or choice, and in a block no missing argument", async () => {
    for (const [words, isWhole, complains] of [
      [["top", "--fast"], false, "--fast"],
      [["relase"], false, "relase"],
      [["release", "lst"], false, "lst"],
      [["promote", "shop", "--from", "dev", "--to", "prod"], false, "Allowed choices"],
      [["release", "show"], true, "missing"],
    ] as const) {
      expect(await complaintOf(words, isWhole)).toContain(complains);
    }
  });
});

describe("in a clone, with one rolled-back rollout,", () => {
  let clone: string;
  let cloud: CloudForTests;
  let onCall: OnCall;
  beforeAll(async () => {
    clone = mkdtempSync(join(tmpdir(), "ballast-clone-"));
    cloneInto(clone);
    const digest = `registry.example/image@sha256:${"a".repeat(64)}`;
    writeFileSync(join(clone, "Pulumi.dev.yaml"), read("Pulumi.dev.yaml").replaceAll(/(Image: ).*/g, `$1${digest}`));
    writeFileSync(
      join(clone, "one-cell.json"),
      '[{ "name": "errors", "truth": "bad", "fault": { "failurePoints": 20 } }]',
    );
    writeFileSync(join(clone, "stricter.yaml"), "failurePointsMax: 0.1\n");
    writeFileSync(join(clone, "journal.jsonl"), facts.map((event) => JSON.stringify(event)).join("\n"));
    cloud = await startCloudForTests();
  });
  afterAll(async () => {
    await cloud?.close();
    rmSync(clone, { recursive: true, force: true });
  });
  beforeEach(async () => {
    onCall = await goOnCall(cloud);
    await onCall.arrange("rolled back");
  });
  afterEach(() => onCall.close());

  test.each(runIn("in a clone"))(
    "$text succeeds, on $page:$line",
    async ({ text, answer, rule }) => {
      const { code, said } = await onCall.inShell(here(text, rule.instead), clone);
      expect([code, said]).toEqual([0, answer === undefined ? expect.stringMatching(/./) : answer]);
    },
    // The command that tries a mutant starts the test runner twice.
    240_000,
  );
  test("the commands leave a version, a report, a promoted image, and the reference as it was", () => {
    expect(JSON.parse(readFileSync(join(clone, "package.json"), "utf8"))).toMatchObject({ version: "0.9.9" });
    const written = readdirSync(join(clone, "out")).filter((name) => name.endsWith(".html"));
    expect(written.map((name) => readFileSync(join(clone, "out", name), "utf8"))).toEqual([
      expect.stringContaining("<h1>rolled back</h1>"),
    ]);
    expect(
      readFileSync(join(clone, "Pulumi.prod.yaml"), "utf8").match(
        /storefrontImage: .*@sha256:a{64}|by: \["ann@example.com"\]/g,
      ),
    ).toHaveLength(2);
    for (const page of globSync("docs/reference/*.md", { cwd: root }))
      expect(readFileSync(join(clone, page), "utf8")).toBe(read(page));
  });
});

describe("on an emulator with a storefront,", () => {
  let folder: string;
  const local = runIn("on an emulator");
  const isDown = (text: string): boolean => text.endsWith(" emulator down");
  const run = (text: string) => spawnSync("sh", ["-c", text], { cwd: folder, encoding: "utf8" });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ballast-clone-"));
    cloneInto(folder);
  });
  afterAll(() => {
    run("npm run ballast -- emulator down");
    rmSync(folder, { recursive: true, force: true });
  });

  test("every emulator command on the pages succeeds, from up to down", { timeout: 120_000 }, async () => {
    const [up, ...rest] = local.toSorted((one, other) => Number(isDown(one.text)) - Number(isDown(other.text)));
    expect(up?.text).toBe("npm run ballast -- emulator up");
    for (const { text, rule } of [up!, ...rest]) {
      const { status, stdout, stderr } = run(here(text, rule.instead));
      expect([text, status, stderr]).toEqual([text, 0, ""]);
      expect(stdout).toMatch(/./);
      if (text === up!.text) await deployStorefront(folder);
    }
    expect(local.length).toBeGreaterThan(4);
  });
});

async function deployStorefront(folder: string): Promise<void> {
  const { cloud } = JSON.parse(readFileSync(join(folder, ".ballast-emulator", "running.json"), "utf8"));
  const client = await rawClient(cloud);
  const group = `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
  const environment = `${group}/providers/Microsoft.App/managedEnvironments/apps`;
  await client.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await client.settle("PUT", `${environment}?api-version=2025-07-01`, { location: "westeurope", properties: {} });
  await client.settle("PUT", `${group}/providers/Microsoft.App/containerApps/storefront?api-version=2025-07-01`, {
    location: "westeurope",
    properties: {
      managedEnvironmentId: environment,
      template: { containers: [{ name: "web", image: "registry.example/storefront:1" }], scale: { minReplicas: 1 } },
      configuration: {
        ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
      },
    },
  });
  await eventually(
    async () =>
      (await client.ask("GET", "https://storefront.apps.westeurope.ballast.localhost/").catch(() => undefined))
        ?.status === 200,
    "the storefront's answer",
  );
  client.agent.destroy();
}

test.each(by("shownBy"))("$text on $page:$line is run where its rule says", ({ rule }) => {
  expect([
    rule.shownBy,
    rule.holds,
    existsSync(join(root, rule.shownBy)) && read(rule.shownBy).includes(rule.holds),
  ]).toEqual([rule.shownBy, rule.holds, true]);
  expect(rule.why).toMatch(/./);
});

test.each(readBy("suite"))("$text on $page:$line names existing test files", ({ text }) => {
  for (const file of text.split(" ").slice(3)) expect([file, existsSync(join(root, file))]).toEqual([file, true]);
});

test.each(readBy("script"))("$text on $page:$line names a script that accepts its options", ({ text }) => {
  const [, name, options] = /^npm run ([\w:-]+)(?: -- (.*))?$/.exec(text)!;
  const [, file] = /^node (\S+)/.exec(scripts[name!] ?? `no script ${name}`) ?? [];
  expect(existsSync(join(root, file!))).toBe(true);
  // A parser names the first option that it does not know.
  if (options === undefined) return;
  const { stderr } = spawnSync("sh", ["-c", `${here(text)} --no-such-option`], { cwd: root, encoding: "utf8" });
  expect(stderr).toContain("Unknown option '--no-such-option'");
});

test.each(readBy("git"))("$text on $page:$line is a git command", ({ text }) => {
  expect(spawnSync("sh", ["-c", `${text} -h`], { encoding: "utf8" }).stdout).toMatch(new RegExp(`usage: ${text}`));
});
