// The checks of this machine, and a stack that the Pulumi CLI cannot read.
import { expect, test } from "vitest";
import { stackNamed } from "../../../cli/doctor/context.ts";
import { examine } from "../../../cli/doctor/finding.ts";
import { judgeNode, toolChecks } from "../../../cli/doctor/tools.ts";
import { journalUnreachable } from "../../../errors/api.ts";
import { failure } from "../../support/emulator/doctor-shop.ts";

const pulumiCli = {
  command: "/bin/false",
  version: "3.259.0",
  binFolder: "/bin",
  environment: {},
  how: "path",
} as const;

test("Node must have at least the version that the package asks for", () => {
  for (const version of ["20.11.0", "20.12.1", "24.0.0"]) expect(judgeNode(version, ">=20.11").state).toBe("ok");
  for (const version of ["20.10.9", "18.20.4"])
    expect(judgeNode(version, ">=20.11")).toMatchObject(
      failure("doctor-node-old", `This is Node ${version.replaceAll(".", "\\.")}\\. Ballast needs 20\\.11`),
    );
});

test("a missing Pulumi CLI fails its own check only, with its own error", async () => {
  const checks = toolChecks(">=20.11", "0.1.0");
  expect((await examine(checks, async () => pulumiCli)).map(({ state }) => state)).toEqual(["ok", "ok"]);
  const missing = await examine(checks, () => Promise.reject(journalUnreachable()));
  expect(missing).toMatchObject([{ state: "ok" }, failure("journal-unreachable")]);
});

test("a stack that the Pulumi CLI cannot read is named in the error", async () => {
  await expect(stackNamed(pulumiCli, "dev")).rejects.toMatchObject({
    id: "doctor-stack-unreadable",
    message: expect.stringContaining("the stack dev"),
  });
});
