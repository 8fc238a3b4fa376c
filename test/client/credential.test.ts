// How the client gets its token, from the emulator's sign-in.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { controlPlane } from "../../client/control-plane.ts";
import { tokenFor } from "../../client/credential.ts";
import { accessTo } from "../../client/github/access.ts";
import { startEmulator } from "../../emulator/start.ts";
import type { BallastError } from "../../errors/catalogue.ts";

test.each([
  ["is used on while it is valid for minutes", 299, "a.b.c"],
  ["is not used shortly before its end", 100, "release-not-signed-in"],
  ["is not used after its end", -1, "release-not-signed-in"],
])("the token at hand %s if no other can be fetched", async (_what, seconds, expected) => {
  const answers = [async () => ({ token: "a.b.c", expiresOnTimestamp: Date.now() + seconds * 1000 })];
  const getToken = () => answers.shift()?.() ?? Promise.reject(new Error("the sign-in does not answer"));
  const token = tokenFor("api://ballast", {}, async () => ({ getToken }));
  expect(await token()).toBe("a.b.c");
  expect(await token().catch(({ id }: BallastError) => id)).toBe(expected);
});

describe("a token of the environment that no header can have", () => {
  const broken = ["hunter2\nfoo", "hunter2 foo", "hunter2\u201d", "hunter2\u0007"];

  test.each(broken)("is refused before anything is sent, and is in no message: %j", async (token) => {
    const refused = await tokenFor("api://ballast", { BALLAST_TOKEN: token })().catch((error: BallastError) => error);
    expect(refused).toMatchObject({
      id: "release-not-signed-in",
      message: expect.stringContaining("BALLAST_TOKEN is no token: it has"),
    });
    expect(String(refused)).not.toContain("hunter2");
    const github = () => accessTo("acme/shop", { GITHUB_TOKEN: token });
    expect(github).toThrow(expect.objectContaining({ id: "github-access-unclear" }));
    expect(github).not.toThrow(/hunter2/);
  });

  test("may have a line break at its end, as a file has", async () => {
    expect(await tokenFor("api://ballast", { BALLAST_TOKEN: "a.b.c\r\n" })()).toBe("a.b.c");
    expect(accessTo("acme/shop", { GITHUB_TOKEN: "ghs_1\n" }).token).toBe("ghs_1");
  });

  test("nor is a password in an address shown, or the address asked", async () => {
    const access = { endpoint: "https://ann:hunter2@plane.example", token: async () => "a.b.c" };
    const refused = await controlPlane(access)
      .list()
      .catch((error: BallastError) => error);
    expect(refused).toMatchObject({ id: "release-endpoint-insecure" });
    expect(String(refused)).not.toContain("hunter2");
  });
});

test("signs in with a client secret at the environment's authority, and reports a refusal", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ballast-provider-"));
  const cloud = await startEmulator({ folder, images: {} });
  try {
    const script = `
      const { tokenFor } = await import(${JSON.stringify(new URL("../../client/credential.ts", import.meta.url))});
      const token = await tokenFor("api://ballast")();
      const guessed = tokenFor("api://ballast", { ...process.env, AZURE_CLIENT_SECRET: "guessed" });
      const error = await guessed().catch((thrown) => thrown);
      console.log(JSON.stringify({ token, id: error.id, message: error.message }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      env: { ...cloud.environment },
    });
    const said = JSON.parse(stdout) as { token: string; id: string; message: string };
    expect(JSON.parse(String(Buffer.from(said.token.split(".")[1]!, "base64url")))).toMatchObject({
      aud: "api://ballast",
      roles: ["Rollout.Read", "Rollout.Write", "Rollout.Approve", "Remediation.Approve"],
    });
    expect(said).toMatchObject({ id: "release-not-signed-in", message: expect.stringContaining("invalid_client") });
    expect(said.message).not.toContain("guessed");
  } finally {
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
