// How a command finds the rollout that a name means.
import { expect, test } from "vitest";
import { findRollout } from "../../cli/release/find.ts";

test("the name of a revision alone is refused with the name that its rollout has", async () => {
  const calls = new Proxy({}, { get: () => () => expect.fail("the control plane was asked") });
  await expect(findRollout(calls as never, "web--dgubf63")).rejects.toMatchObject({
    id: "cli-rollout-name-unclear",
    message: '"web--dgubf63" is the name of a revision, and not of an app.',
    fix: expect.stringContaining("write web/web--dgubf63;"),
  });
});
