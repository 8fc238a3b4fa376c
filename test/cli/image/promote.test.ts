// `ballast promote` on copies of the repository's own stack files: what it changes, that it keeps everything else, what
// it refuses, and that a stack that requires approvals accepts the image only with them.
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

/** Reads prod as a program would, with its placeholders filled in. */
const prodAsRead = () => {
  const written = stackConfig(parse(textOf("prod")).config);
  const keys = ["ballast:storefrontImage", "ballast:storefrontApproval"];
  return parseConfig({ ...filledIn("prod"), ...Object.fromEntries(keys.map((key) => [key, written[key]!])) }, []);
};

test("copies dev's digest and its approval to prod, and changes no other line of prod's file", () => {
  const before = textOf("prod").split("\n");
  expect(fromDev("--approved-by", "ann")).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringContaining(
      `Pulumi.prod.yaml: ballast:storefrontImage is now ${digest("a")}, approved by ann. Nothing is deployed yet.`,
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
  expect(fromDev()).toMatchObject({ code: 0, out: "Pulumi.prod.yaml already has that image. Nothing was changed.\n" });
});

test("without an approval of this very image prod refuses it with config-image-unapproved", () => {
  fromDev("--approved-by", "ann");
  setImage("dev", digest("b"));
  expect(fromDev().out).toContain("1 more approval is needed. Run the command again with --approved-by <name>.");
  expect(prodAsRead).toThrow(
    expect.objectContaining({ id: "config-image-unapproved", message: expect.stringContaining("has none") }),
  );
  setImage("prod", digest("a")); // Set manually, without an approval.
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

test("approvals add up, and each person counts once", () => {
  writeFileSync(fileOf("prod"), textOf("prod").replace("ballast:approvals: 1", "ballast:approvals: 2"));
  expect(fromDev("--approved-by", "ann", "--approved-by", "ann").out).toContain("1 more approval is needed");
  expect(fromDev("--approved-by", "bob").out).toContain("approved by ann and bob");
});

test("reads a file as the Pulumi CLI writes it, and keeps encrypted values", () => {
  const secret = "  ballast:databasePassword:\n    secure: v1:abc=\n";
  writeFileSync(
    fileOf("prod"),
    [
      "encryptionsalt: v1:xyz",
      "config:",
      '  ballast:approvals: "1"',
      "  ballast:storefrontApproval:",
      "    by:",
      "      - ann",
      `    image: ${digest("b")}`,
      `${secret}  ballast:storefrontImage: ${digest("b")}`,
      "",
    ].join("\n"),
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

test("a stack that requires no approvals and has no image yet gets the image only", () => {
  writeFileSync(fileOf("test"), "# mine\nconfig:\n    ballast:location: westeurope\n");
  expect(promote("control-plane", "--from", "dev", "--to", "test")).toMatchObject({
    code: 2,
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
    "shop.azurecr.io/storefront:1. Only a digest",
  ],
  [
    "a placeholder",
    () => setImage("dev", "<your registry>/storefront:1"),
    "cli-promote-mutable",
    "ballast image build",
  ],
  [
    "a missing stack",
    () => rmSync(fileOf("dev")),
    "cli-stack-unreadable",
    "Pulumi.dev.yaml cannot be used: it does not exist",
  ],
  [
    "a file that is not YAML",
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
])("refuses %s, and writes nothing", (_what, make, id, message) => {
  make();
  const before = textOf("prod");
  const { code, err } = fromDev();
  expect([code, err]).toEqual([2, expect.stringContaining(id)]);
  expect(err).toContain(message);
  expect(textOf("prod")).toBe(before);
});

test("has help with an example", () =>
  expect(promote("--help").out).toContain("Examples:\n  ballast promote storefront --from dev --to prod\n"));

test("exits with 2 for an unknown service", () =>
  expect(promote("shop", "--from", "dev", "--to", "prod")).toMatchObject({
    code: 2,
    err: expect.stringContaining("storefront, control-plane, dead-mans-switch"),
  }));
