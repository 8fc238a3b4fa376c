// A control plane that does not manage an app: how long that is waited for, and which errors mean it.
import { expect, test } from "vitest";
import { roleMissing, targetUnknown } from "../../errors/api.ts";
import { onceManaged, refusalOf } from "../../provider/release/managed.ts";

const unmanaged = targetUnknown({ what: "the app other in shop" });
const refused = roleMissing({ role: "Rollout.Write", caller: "ci" });

/** Fails with these errors, one after the other, and then answers. */
const failing = (errors: readonly Error[]) => {
  const left = [...errors];
  return async () => {
    const error = left.shift();
    if (error) throw error;
    return "answered";
  };
};

test.each([
  ["at once", [], "answered", 0],
  ["as soon as it manages the app", [unmanaged, unmanaged], "answered", 2],
  ["another refusal, at once", [refused], "call-role-missing", 0],
] as const)("a call gives %s", async (_what, errors, end, rests) => {
  let rested = 0;
  const ended = onceManaged(failing(errors), async () => {
    rested += 1;
  });
  expect([await ended.catch(({ id }) => id), rested]).toEqual([end, rests]);
});

test("a call gives up within half a minute", async () => {
  let milliseconds = 0;
  const never = () => Promise.reject(unmanaged);
  const ended = onceManaged(never, async (rest) => {
    milliseconds += rest;
  });
  await expect(ended).rejects.toBe(unmanaged);
  expect(milliseconds).toBeGreaterThan(20_000);
  expect(milliseconds).toBeLessThanOrEqual(30_000);
});

test.each([
  ["manages it", undefined, undefined],
  ["does not manage it", unmanaged, unmanaged],
  ["refuses the caller", refused, undefined],
])("a preview is told only what a control plane says that %s", async (_what, error, told) => {
  const list = async () => {
    if (error) throw error;
    return { rollouts: [], unreadable: [], stuck: [] };
  };
  expect(await refusalOf({ list }, { resourceGroup: "shop", app: "other" })).toBe(told);
});
