// Where the `ballast` command finds the control plane, and that it sends no token to an address to which the token's
// audience is not bound. A script in place of the Pulumi CLI prints the stack's outputs.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bindAudience } from "../../bind-audience.ts";
import { type CommandResult, runBallast } from "../support/controlplane/ballast-command.ts";
import { type FakeControlPlane, startFakeControlPlane } from "../support/controlplane/fake-control-plane.ts";

let plane: FakeControlPlane;
beforeAll(async () => {
  plane = await startFakeControlPlane();
});
afterAll(async () => plane.stop());

const ballast = (args: readonly string[], environment: NodeJS.ProcessEnv, folder: string): Promise<CommandResult> =>
  runBallast(args, folder, environment);

test("the audience of a token comes from the same place as the address: outputs, options or variables", async () => {
  const programs = mkdtempSync(join(tmpdir(), "ballast-audience-"));
  const script = (name: string, text: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  // Without a sign-in the error names the audience that was asked for.
  script("az", "exit 1");
  const wanted = async (
    outputs: object,
    args: readonly string[] = [],
    more: NodeJS.ProcessEnv = {},
  ): Promise<string | undefined> => {
    const printed = JSON.stringify({ controlPlaneEndpoint: plane.endpoint, ...outputs });
    script("pulumi", `case "$1" in version) echo v3.259.0;; *) echo '${printed}';; esac`);
    const { err } = await ballast(
      ["release", "list", "--stack", "prod", ...args],
      { PATH: `${programs}:${process.env["PATH"]}`, BALLAST_TOKEN: "", ...more },
      programs,
    );
    return /release-not-signed-in .*?(api:\/\/[a-z/-]+)/.exec(err)?.[1] ?? /^cli-[a-z-]+/.exec(err)?.[0] ?? err;
  };
  const shop = "api://tenant/shop-prod";
  const prod = { controlPlaneAudience: shop, controlPlaneBinding: bindAudience(plane.endpoint, shop) };
  const given = ["--endpoint", plane.endpoint];
  expect({
    "the stack's": await wanted(prod),
    "the stack's, named again": await wanted(prod, [], { BALLAST_AUDIENCE: shop }),
    "the stack's, with a slash": await wanted({ ...prod, controlPlaneEndpoint: `${plane.endpoint}/` }),
    "both options": await wanted(prod, [...given, "--audience", "api://tenant/other"]),
    "both variables": await wanted(prod, [], {
      BALLAST_ENDPOINT: plane.endpoint,
      BALLAST_AUDIENCE: "api://tenant/another",
    }),
    "variables that are empty": await wanted(prod, [], { BALLAST_ENDPOINT: "", BALLAST_AUDIENCE: "" }),
    "an address without an audience": await wanted(prod, given),
    "an address with the audience of a variable": await wanted(prod, given, { BALLAST_AUDIENCE: shop }),
    "an audience of another address": await wanted(prod, ["--audience", "api://tenant/other"]),
    "a variable of another address": await wanted(prod, [], { BALLAST_AUDIENCE: "api://tenant/another" }),
    "outputs without an audience": await wanted({}),
    "outputs without a binding": await wanted({ controlPlaneAudience: shop }),
  }).toEqual({
    "the stack's": shop,
    "the stack's, named again": shop,
    "the stack's, with a slash": shop,
    "both options": "api://tenant/other",
    "both variables": "api://tenant/another",
    "variables that are empty": shop,
    "an address without an audience": "cli-endpoint-unbound",
    "an address with the audience of a variable": "cli-endpoint-unbound",
    "an audience of another address": "cli-endpoint-unbound",
    "a variable of another address": "cli-endpoint-unbound",
    "outputs without an audience": "cli-endpoint-unbound",
    "outputs without a binding": "cli-endpoint-unbound",
  });
  rmSync(programs, { recursive: true, force: true });
});

test("the settings of an emulator in this folder are named, unless they are read in or there are none", async () => {
  const programs = mkdtempSync(join(tmpdir(), "ballast-forgotten-"));
  const says = "echo 'error: PULUMI_ACCESS_TOKEN must be set for login' >&2; exit 255";
  writeFileSync(join(programs, "pulumi"), `#!/bin/sh\ncase "$1" in version) echo v3.259.0;; *) ${says};; esac\n`, {
    mode: 0o755,
  });
  const fixFor = async (backend: string) => {
    const environment = { PATH: `${programs}:${process.env["PATH"]}`, PULUMI_BACKEND_URL: backend };
    return /fix +(.*?),/.exec((await ballast(["release", "list"], environment, programs)).err)?.[1];
  };
  const logIn = "run `pulumi login` for the backend that has the stack";
  expect(await fixFor("")).toBe(logIn);
  mkdirSync(join(programs, ".ballast-emulator"));
  writeFileSync(join(programs, ".ballast-emulator", "environment"), "");
  expect(await fixFor("")).toBe("for the stack on this machine run `source .ballast-emulator/environment`");
  expect(await fixFor("file:///elsewhere")).toBe(logIn);
  rmSync(programs, { recursive: true, force: true });
});

test("an address that was changed in the stack's outputs receives no token, by no command", {
  timeout: 120_000,
}, async () => {
  const heard: string[] = [];
  const attacker = createServer((request, response) => {
    heard.push(`${request.url} ${request.headers.authorization ?? ""}`);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }).listen(0, "127.0.0.1");
  await once(attacker, "listening");
  const programs = mkdtempSync(join(tmpdir(), "ballast-changed-"));
  const outputs = JSON.stringify({
    controlPlaneEndpoint: `http://127.0.0.1:${(attacker.address() as AddressInfo).port}`,
    controlPlaneAudience: "api://ballast",
    controlPlaneBinding: bindAudience(plane.endpoint, "api://ballast"),
  });
  writeFileSync(
    join(programs, "pulumi"),
    `#!/bin/sh\ncase "$1" in version) echo v3.259.0;; *) echo '${outputs}';; esac\n`,
    { mode: 0o755 },
  );
  const environment = { PATH: `${programs}:${process.env["PATH"]}` };
  for (const args of [
    ["release", "list"],
    ["release", "show", "storefront"],
    ["release", "explain"],
    ["release", "follow", "storefront"],
    ["release", "abort", "storefront", "--message", "m"],
    ["release", "report"],
    ["top"],
  ]) {
    const { code, err } = await ballast([...args, "--stack", "prod"], environment, programs);
    expect([args, code, err]).toEqual([args, 2, expect.stringMatching(/^cli-endpoint-unbound .*No token was sent/s)]);
  }
  expect(heard).toEqual([]);
  attacker.close();
  rmSync(programs, { recursive: true, force: true });
});
