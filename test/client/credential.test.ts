// How the client gets its token, from the emulator's sign-in.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startEmulator } from "../../emulator/start.ts";

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
