// The time of `ballast remediation pause --all --for`, and how a pause is told.
import { expect, test } from "vitest";
import { pauseLine, secondsIn } from "../../cli/remediation/pause.ts";

test.each([
  ["1s", 1],
  ["30m", 1800],
  ["2h", 7200],
  ["30d", 2_592_000],
])("%s is a time", (text, seconds) => expect(secondsIn(text)).toBe(seconds));

test.each(["", "0m", "31d", "2", "h", "-1h", "1.5h", "2h 30m", "99999999s", "2H"])("%j is none", (text) =>
  expect(() => secondsIn(text)).toThrow(/such as 30m, 2h or 1d/),
);

test("a pause is told with who, why and until when", () =>
  expect(pauseLine({ by: "Ann (1f)", message: "migration", until: Date.parse("2026-01-05T11:00:00Z") })).toMatch(
    /paused until 2026-01-05 11:00.* by Ann \(1f\): migration/,
  ));
