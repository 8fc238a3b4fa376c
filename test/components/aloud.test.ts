// A wait that is told: after ten seconds, once, and never of one that is over.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { aloud } from "../../components/canary-app/aloud.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a wait of more than ten seconds is told once, and gives what was waited for", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const say = vi.fn();
  const waiting = aloud(promise, say);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(say).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(say).toHaveBeenCalledTimes(1);
  resolve("locked");
  expect(await waiting).toBe("locked");
});

test.each([
  ["gives something", () => Promise.resolve("locked")],
  ["fails", () => Promise.reject(new Error("down"))],
])("one that %s at once is not told", async (_how, begin) => {
  const say = vi.fn();
  await aloud<string>(begin(), say).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(say).not.toHaveBeenCalled();
});
