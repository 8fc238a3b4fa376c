// What names a trace, by W3C's Trace Context: everything else is ignored, as that has readers do.
import { expect, test } from "vitest";
import { isTrace, traceOf } from "../../engines/trace.ts";

const id = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";

test.each([
  [`00-${id}-${span}-01`, id],
  [` 00-${id}-${span}-00 `, id],
  [`cc-${id}-${span}-01-what-a-later-version-adds`, id],
  [`cc-${id}-${span}-01-späte`, undefined],
  [`00-${id}-${span}-01-more`, undefined],
  [undefined, undefined],
  [null, undefined],
  ["", undefined],
  [id, undefined],
  [`ff-${id}-${span}-01`, undefined],
  [`00-${"0".repeat(32)}-${span}-01`, undefined],
  [`00-${id}-${"0".repeat(16)}-01`, undefined],
  [`00-${id.toUpperCase()}-${span}-01`, undefined],
  [`00-${id.slice(1)}-${span}-01`, undefined],
  [`00-${id}-${span}`, undefined],
  [`00-${id}-${span}-01\n00-${id}-${span}-01`, undefined],
])("%j names %j", (traceparent, trace) => expect(traceOf(traceparent)).toBe(trace));

test.each([
  [id, true],
  ["0".repeat(32), false],
  [`${id}\n`, false],
  [id.slice(1), false],
  ["", false],
])("%j is the id of a trace: %j", (given, is) => expect(isTrace(given)).toBe(is));
