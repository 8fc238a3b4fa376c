// Least roles. What a caller may do with each app role of ours, call by call; and what the control plane's own identity may do on Azure
// with the roles that components/control-plane.ts gives it, which of its work fails without each, and in which words.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operations } from "../controlplane/functions/openapi-operations.ts";
import { calls, openService, rejected, startIssuer, stream, type Issuer } from "./support/service.ts";

describe("an app role", () => {
  let issuer: Issuer;
  beforeAll(async () => { issuer = await startIssuer(); });
  afterAll(() => issuer.close());

  const reading = ["listRollouts", "showRollout", "showJournal", "followRollout"], writing = ["putRollout", "signalRollout", "holdTarget", "unholdTarget", "sweep"];
  const matrix: readonly (readonly [roles: unknown, opens: readonly string[]])[] = [
    [undefined, []], [[], []], [["Rollout.Read"], reading], [["Rollout.Write"], writing], [["Rollout.Read", "Rollout.Write"], [...reading, ...writing]],
    [["rollout.write"], []], [["Rollout.*"], []], [["Rollout"], []], [["Owner", "Contributor"], []], ["Rollout.Read", []], ["Rollout.Read Rollout.Write", []], [{ 0: "Rollout.Read" }, []], [[["Rollout.Read"]], []], [[" Rollout.Read"], []],
  ];
  test.each(matrix)("%j opens %j and nothing else, and whoever is turned away changes nothing", async (roles, opens) => {
    const bearer = await issuer.token({ roles });
    for (const { name, method, to, sent } of calls) {
      const { call, touched, append } = openService(issuer);
      await append(stream, rejected);
      const before = await touched();
      const answered = await call(method, to, sent, bearer);
      if (opens.includes(name)) {
        expect([name, answered.status < 400 || answered.body.error.id !== "call-role-missing"]).toEqual([name, true]);
        continue;
      }
      expect([name, answered.status, answered.body.error.id]).toEqual([name, 403, "call-role-missing"]);
      expect(answered.body.error.message).toBe(`The call needs the role ${operations[name].role}, and somebody does not have it.`);
      expect(await touched()).toEqual(before);
    }
  });

  test("in the `scp` of a person's token counts for nothing, nor does one in another claim", async () => {
    const { call } = openService(issuer);
    const bearer = await issuer.token({ roles: undefined, scp: "Rollout.Read Rollout.Write", wids: ["Rollout.Read"], groups: ["Rollout.Read"] });
    for (const { method, to, sent } of calls) expect((await call(method, to, sent, bearer)).status).toBe(403);
  });
});
