// Commands that read a stack, on a machine without a Pulumi CLI, or with one that refuses. They say what is missing and
// how to get it, and download, build and leave nothing.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CommandResult, runBallast } from "../support/controlplane/ballast-command.ts";
import { script } from "../support/processes.ts";

let folder: string;
let bin: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-bare-"));
  bin = join(folder, "bin");
  mkdirSync(bin);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ballast = (...args: readonly string[]): Promise<CommandResult> =>
  runBallast(args, folder, {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    BALLAST_ENDPOINT: undefined,
  });

test.each([["release", "list"], ["top"], ["release", "show", "shop"]])(
  "%s %s without a Pulumi CLI says how to get one, and neither installs nor builds it",
  async (...args) => {
    script(join(bin, "go"), `touch ${join(folder, "built")}`);
    const { code, out, err } = await ballast(...args.filter(Boolean));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^toolchain-pulumi-missing {2}.*3\.259\.0.*\n {2}fix {3}install it as .*--endpoint/);
    expect([existsSync(join(folder, "built")), readdirSync(folder)]).toEqual([false, ["bin"]]);
  },
);

test("doctor without a Pulumi CLI says the same", async () => {
  const { code, out } = await ballast("doctor", "--json");
  expect([code, JSON.parse(out)]).toEqual([2, { error: expect.objectContaining({ id: "toolchain-pulumi-missing" }) }]);
  expect(readdirSync(folder)).toEqual(["bin"]);
});

const remedies: readonly (readonly [reason: string, remedy: string])[] = [
  [
    "PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
    "run `pulumi login` for the backend",
  ],
  ["no Pulumi.yaml project file found (searching upwards from /)", "run the command in the program's folder"],
  ["no stack selected; please use `pulumi stack select` to choose one", "name a stack that `pulumi stack ls` shows"],
  ["no stack named 'prod' found", "after `pulumi login` for its backend"],
  ["passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "set PULUMI_CONFIG_PASSPHRASE"],
  ["it rains", "run `pulumi login` for the stack's backend, and the command in the program's folder"],
];
test.each(remedies)("if the Pulumi CLI says `%s`, the fix is for that", async (reason, remedy) => {
  script(
    join(bin, "pulumi"),
    `case "$1" in version) echo v3.259.0;; *) echo "error: ${reason.replaceAll("`", "\\`")}" >&2; exit 1;; esac`,
  );
  const listed = await ballast("release", "list", "--json");
  expect([listed.code, JSON.parse(listed.out).error]).toMatchObject([
    2,
    { id: "cli-endpoint-unknown", fix: expect.stringContaining(remedy) },
  ]);
  const checked = await ballast("doctor", "--stack", "prod", "--json");
  expect([checked.code, JSON.parse(checked.out).error]).toMatchObject([
    2,
    { id: "doctor-stack-unreadable", fix: expect.stringContaining(remedy) },
  ]);
});

const stack = (name: string, current: boolean): object => ({ name, current });
const choices: readonly (readonly [what: string, stacks: readonly object[], says: string])[] = [
  ["the selected stack", [stack("dev", false), stack("prod", true)], "the stack prod"],
  ["the only stack", [stack("dev", false)], "the stack dev"],
  ["no stack of several", [stack("dev", false), stack("prod", false)], "doctor-stack-unnamed  No stack is selected"],
  ["no stack of none", [], "Its backend has none."],
];
test.each(choices)("doctor without --stack checks %s", async (_what, stacks, says) => {
  const listed = JSON.stringify(stacks);
  script(
    join(bin, "pulumi"),
    `case "$1 $2" in version*) echo v3.259.0;; "stack ls") echo '${listed}';; ` +
      `*) echo "error: it rains" >&2; exit 1;; esac`,
  );
  const { code, err } = await ballast("doctor");
  expect([code, err]).toEqual([2, expect.stringContaining(says)]);
});
