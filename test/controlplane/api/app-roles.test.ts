// What a caller may do with each app role, call by call and signal by signal.
import { describe, expect, test } from "vitest";
import { personalSignalNames } from "../../../engines/rollout/signals.ts";
import { operations } from "../../support/controlplane/exchanges.ts";
import {
  calls,
  intent,
  rejected,
  path as rolloutPath,
  servicesForTests,
  stream,
} from "../../support/controlplane/service.ts";

describe("an app role", () => {
  const { service, token } = servicesForTests();

  const reading = ["listRollouts", "showRollout", "showRolloutJournal", "followRollout", "showPause"];
  const writing = ["putRollout", "signalRollout", "lockTarget", "unlockTarget", "recover", "pauseAll", "resumeAll"];
  const matrix: readonly (readonly [roles: unknown, opens: readonly string[]])[] = [
    [undefined, []],
    [[], []],
    [["Rollout.Read"], reading],
    [["Rollout.Write"], writing],
    [
      ["Rollout.Read", "Rollout.Write"],
      [...reading, ...writing],
    ],
    [["Rollout.Approve"], []],
    [["rollout.write"], []],
    [["Rollout.*"], []],
    [["Rollout"], []],
    [["Owner", "Contributor"], []],
    ["Rollout.Read", []],
    ["Rollout.Read Rollout.Write", []],
    [{ 0: "Rollout.Read" }, []],
    [[["Rollout.Read"]], []],
    [[" Rollout.Read"], []],
  ];
  test.each(matrix)(
    "%j opens %j and nothing else, and whoever is reconciled away changes nothing",
    async (roles, opens) => {
      const bearer = await token({ roles });
      for (const { name, method, to, sent } of calls) {
        const { call, touched, append } = service();
        await append(stream, rejected);
        const before = await touched();
        const answered = await call(method, to, sent, bearer);
        if (opens.includes(name)) {
          expect([name, answered.status < 400 || answered.body.error.id !== "call-role-missing"]).toEqual([name, true]);
          continue;
        }
        expect([name, answered.status, answered.body.error.id]).toEqual([name, 403, "call-role-missing"]);
        expect(answered.body.error.message).toMatch(
          new RegExp(`^The call requires the app role ${operations[name]!.role}( or \\w+.Approve)?, which somebody`),
        );
        expect(await touched()).toEqual(before);
      }
    },
  );

  test.each([
    [["Rollout.Approve"], ["approve"]],
    [["Rollout.Write"], personalSignalNames.filter((name) => name !== "approve")],
    [["Rollout.Write", "Rollout.Approve"], personalSignalNames],
    [["Rollout.Read"], []],
  ])("%j lets its holder send the signals %j and no other", async (roles, allowed) => {
    const bearer = await token({ roles });
    for (const signal of personalSignalNames) {
      const { call, append, asked } = service();
      await append(stream, rejected);
      const { status, body } = await call("POST", `${rolloutPath}/signals`, { signal, message: "because" }, bearer);
      const isRefused = status === 403 && body.error.id === "call-role-missing";
      expect([signal, isRefused, asked.length]).toEqual([signal, !allowed.includes(signal), isRefused ? 0 : 1]);
    }
  });

  test("whose holder lacks one is refused by name, with the id to which it is assigned", async () => {
    const { call } = service();
    const nobody = await token({ roles: ["Rollout.Read"], oid: "somebody-else", name: "Sue Else" });
    const { body } = await call("POST", `${rolloutPath}/signals`, { signal: "abort", message: "because" }, nobody);
    expect(body.error.message).toContain("which Sue Else (somebody-else) does not have");
  });

  test.each([
    [["Rollout.Write"], "Sue Else has no right to approve"],
    [["Rollout.Write", "Rollout.Approve"], undefined],
  ])("%j decides whether a promotion may pass an unapproved gate", async (roles, why) => {
    const { call, append, parts } = service();
    const gate = { beforePercent: 50, expiresSeconds: 600 };
    await append(stream, [{ at: 1000, kind: "Planned", intent: { ...intent, gate }, steps: [5, 25, 50, 100] }]);
    const promote = { signal: "promote", message: "urgent" };
    const { status, body } = await call(
      "POST",
      `${rolloutPath}/signals`,
      promote,
      await token({ roles, oid: "somebody-else", name: "Sue Else" }),
    );
    expect(status).toBe(why === undefined ? 202 : 409);
    if (why !== undefined) expect(body.error.message).toContain(why);
    const facts = await parts.journal.read(stream);
    expect(facts.some(({ event }) => event.kind === "Signalled")).toBe(why === undefined);
    // Whoever asked may not pass it either, whatever the token's roles.
    const own = await call("POST", `${rolloutPath}/signals`, promote, await token({ roles, oid: "somebody" }));
    expect(own.status).toBe(409);
  });

  test("in the `scp` of a person's token is ignored, and so is one in any other claim", async () => {
    const { call } = service();
    const bearer = await token({
      roles: undefined,
      scp: "Rollout.Read Rollout.Write",
      wids: ["Rollout.Read"],
      groups: ["Rollout.Read"],
    });
    for (const { method, to, sent } of calls) expect((await call(method, to, sent, bearer)).status).toBe(403);
  });
});
