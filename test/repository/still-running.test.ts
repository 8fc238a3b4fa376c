// What the reporter of long test files prints, and that the suite uses it.
import { expect, test } from "vitest";
import config from "../../vitest.config.ts";
import { StillRunning, silenceSeconds } from "../support/still-running.ts";

test("names the files that run whenever nothing was printed for half a minute, and only then", () => {
  let now = 0;
  const lines: string[] = [];
  const reporter = new StillRunning({ now: () => now, write: (line) => lines.push(line) });
  const passTo = (seconds: number): void => {
    for (const end = seconds * 1000; now < end; ) {
      now += 1000;
      reporter.look();
    }
  };
  reporter.onTestModuleStart({ relativeModuleId: "test/slow.test.ts" });
  passTo(10);
  reporter.onTestModuleStart({ relativeModuleId: "test/quick.test.ts" });
  passTo(20);
  reporter.onTestModuleEnd({ relativeModuleId: "test/quick.test.ts" });
  passTo(20 + silenceSeconds - 1);
  expect(lines).toEqual([]);
  passTo(20 + 2 * silenceSeconds);
  expect(lines).toEqual([" … running: test/slow.test.ts (50 s)", " … running: test/slow.test.ts (80 s)"]);
  reporter.onTestModuleEnd({ relativeModuleId: "test/slow.test.ts" });
  passTo(300);
  expect(lines).toHaveLength(2);
});

test("is used beside the default reporter", () => {
  const { reporters } = config.test as { reporters: readonly unknown[] };
  expect(reporters).toEqual(expect.arrayContaining(["default", expect.any(StillRunning)]));
});
