// `ballast promote` on copies of the repository's own stack files: what it writes, what it leaves alone to the letter, what it refuses,
// and that a stack which wants approvals takes the image only then.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../../config.ts";
import { filledIn } from "../../support/program/environments.ts";
import { stackConfig } from "../../support/program/stack-config.ts";

const root = path.join(import.meta.dirname, "..", "..", "..");
const digest = (letter: string): string => `shop.azurecr.io/storefront@sha256:${letter.repeat(64)}`;
let folder: string;

const fileOf = (stack: string): string => path.join(folder, `Pulumi.${stack}.yaml`);
const textOf = (stack: string): string => readFileSync(fileOf(stack), "utf8");
const setImage = (stack: string, image: string): void =>
  writeFileSync(fileOf(stack), textOf(stack).replace(/(ballast:storefrontImage: ).*/, `$1${image}`));

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-promote-"));
  for (const stack of ["dev", "prod"])
    writeFileSync(fileOf(stack), readFileSync(path.join(root, `Pulumi.${stack}.yaml`)));
  setImage("dev", digest("a"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function promote(...words: readonly string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, "cli", "main.ts"), "promote", ...words],
    { cwd: folder, env, encoding: "utf8" },
  );
  return { code: status, out: stdout, err: stderr };
}
const fromDev = (...more: readonly string[]) => promote("storefront", "--from", "dev", "--to", "prod", ...more);

/** Reads prod as a program would, whatever else a reader still has to fill in. */
const prodAsRead = () => {
  const written = stackConfig(parse(textOf("prod")).config);
  const keys = ["ballast:storefrontImage", "ballast:storefrontApproval"];
  return parseConfig({ ...filledIn("prod"), ...Object.fromEntries(keys.map((key) => [key, written[key]!])) }, []);
};

test("dev's digest is prod's, with who approved it, and no other line of prod's file is other than before", () => {
  const before = textOf("prod").split("\n");
  expect(fromDev("--approved-by", "ann")).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringContaining(
      `Pulumi.prod.yaml: ballast:storefrontImage is ${digest("a")} now, approved by ann. Nothing is deployed yet.`,
    ),
  });
  const after = textOf("prod").split("\n");
  expect(after.length).toBe(before.length);
  expect(after.filter((line, at) => line !== before[at])).toEqual([
    `  ballast:storefrontImage: ${digest("a")}`,
    `  ballast:storefrontApproval: { image: "${digest("a")}", by: ["ann"] }`,
  ]);
  expect(prodAsRead()).toMatchObject({
    storefrontImage: digest("a"),
    storefrontApproval: { image: digest("a"), by: ["ann"] },
  });
  expect(fromDev()).toMatchObject({ code: 0, out: "Pulumi.prod.yaml has that image already: nothing was changed.\n" });
});

test("without its approval prod refuses the image with config-image-unapproved, and another image's approval does not count", () => {
  fromDev("--approved-by", "ann");
  setImage("dev", digest("b"));
  expect(fromDev().out).toContain("1 more approval needed: run it again with --approved-by <name>.");
  expect(prodAsRead).toThrow(
    expect.objectContaining({ id: "config-image-unapproved", message: expect.stringContaining("has none") }),
  );
  setImage("prod", digest("a")); // by hand, past the approval of b
  expect(prodAsRead).toThrow(expect.objectContaining({ id: "config-image-unapproved" }));
  expect(JSON.parse(fromDev("--approved-by", "bob", "--json").out)).toEqual({
    service: "storefront",
    image: digest("b"),
    file: "Pulumi.prod.yaml",
    changed: true,
    approvedBy: ["bob"],
    approvalsMissing: 0,
  });
  expect(prodAsRead().storefrontImage).toBe(digest("b"));
});

test("approvals add up, and nobody counts twice", () => {
  writeFileSync(fileOf("prod"), textOf("prod").replace("ballast:approvals: 1", "ballast:approvals: 2"));
  expect(fromDev("--approved-by", "ann", "--approved-by", "ann").out).toContain("1 more approval needed");
  expect(fromDev("--approved-by", "bob").out).toContain("approved by ann and bob");
});

test("the engine's own way of writing a stack's file is understood, and what is encrypted stays", () => {
  const secret = "  ballast:databasePassword:\n    secure: v1:abc=\n";
  writeFileSync(
    fileOf("prod"),
    `encryptionsalt: v1:xyz\nconfig:\n  ballast:approvals: "1"\n  ballast:storefrontApproval:\n    by:\n      - ann\n    image: ${digest("b")}\n${secret}  ballast:storefrontImage: ${digest("b")}\n`,
  );
  expect(fromDev("--approved-by", "bob").code).toBe(0);
  expect(parse(textOf("prod"))).toMatchObject({
    encryptionsalt: "v1:xyz",
    config: {
      "ballast:storefrontImage": digest("a"),
      "ballast:storefrontApproval": { image: digest("a"), by: ["bob"] },
    },
  });
  expect(textOf("prod")).toContain(secret);
});

test("a stack that wants no approvals and has no image yet gets the image alone", () => {
  writeFileSync(fileOf("test"), "# mine\nconfig:\n    ballast:location: westeurope\n");
  expect(promote("control-plane", "--from", "dev", "--to", "test")).toMatchObject({
    code: 1,
    err: expect.stringContaining("cli-promote-mutable"),
  });
  expect(promote("storefront", "--from", "dev", "--to", "test").code).toBe(0);
  expect(textOf("test")).toBe(
    `# mine\nconfig:\n    ballast:storefrontImage: ${digest("a")}\n    ballast:location: westeurope\n`,
  );
});

test.each([
  [
    "a tag",
    () => setImage("dev", "shop.azurecr.io/storefront:1"),
    "cli-promote-mutable",
    "shop.azurecr.io/storefront:1, and only a digest",
  ],
  [
    "a placeholder",
    () => setImage("dev", "<your registry>/storefront:1"),
    "cli-promote-mutable",
    "ballast image build",
  ],
  [
    "a stack that there is not",
    () => rmSync(fileOf("dev")),
    "cli-stack-unreadable",
    "Pulumi.dev.yaml cannot be used: it is not there",
  ],
  [
    "a file that is no YAML",
    () => writeFileSync(fileOf("prod"), "config: [\n"),
    "cli-stack-unreadable",
    "Pulumi.prod.yaml",
  ],
  [
    "a file without a configuration",
    () => writeFileSync(fileOf("prod"), "x: 1\n"),
    "cli-stack-unreadable",
    "it has no configuration",
  ],
])("%s is refused, and nothing is written", (_what, make, id, says) => {
  make();
  const before = textOf("prod");
  const { code, err } = fromDev();
  expect([code, err]).toEqual([1, expect.stringContaining(id)]);
  expect(err).toContain(says);
  expect(textOf("prod")).toBe(before);
});

test("its help has an example", () =>
  expect(promote("--help").out).toContain("Examples:\n  ballast promote storefront --from dev --to prod\n"));

test("a service that there is not is a mistake in the command", () =>
  expect(promote("shop", "--from", "dev", "--to", "prod")).toMatchObject({
    code: 2,
    err: expect.stringContaining("storefront, control-plane, dead-mans-switch"),
  }));
