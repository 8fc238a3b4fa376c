// What names a trace, by W3C's Trace Context: everything else is ignored, as that has readers do. And what a request of
// each kind does with the trace of its caller.
import { expect, test } from "vitest";
import { read } from "../../engines/form.ts";
import type { AnyKind } from "../../engines/kind.ts";
import { kinds } from "../../engines/kinds.ts";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
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

/** A request of each kind, by the parts of its name and its body. */
const requests: Readonly<Record<string, readonly [name: object, body: object]>> = {
  rollout: [
    { rg: "shop", app: "web", revision: "web--2" },
    { release: "2", strategy: defaultStrategy, thresholds: defaultThresholds, probePath: "/" },
  ],
  rotation: [
    { vault: "shop-kv", credential: "database", rotation: "1" },
    { cause: "requested", message: "by a workflow" },
  ],
  remediation: [
    { type: "app", rg: "shop", name: "web", incident: "drill-1" },
    { rule: "failing", message: "by a workflow", drill: true },
  ],
};

/** Gives the first fact of a request, and what is shown of its stream. */
function requested(kind: AnyKind, trace?: string) {
  const [name, given] = requests[kind.kind]!;
  const parsed = read(kind.calls.request, given);
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  const asked = { name, body: parsed.value, by: "caller", apps: [], ...(trace && { trace }) };
  const intent = kind.calls.intentOf(asked as Parameters<typeof kind.calls.intentOf>[0]);
  const [first] = kind.engine.decide(kind.engine.initial, { kind: "Request", at: 0, intent } as never);
  const seen = kind.glance.evolve(kind.glance.initial, first);
  const summary = kind.calls.summaryOf("a/stream", seen) as { readonly trace: string | null };
  return { first, summary, state: kind.engine.evolve(kind.engine.initial, first) };
}

test.each(kinds.all)("a $kind keeps the trace of its caller in its journal, its summary and its telemetry", (kind) => {
  const { first, summary, state } = requested(kind, id);
  expect(JSON.stringify(first)).toContain(`"trace":"${id}"`);
  expect([summary.trace, kind.telemetry.traceOf?.(state)]).toEqual([id, id]);
  const without = requested(kind);
  expect(JSON.stringify(without.first)).not.toContain("trace");
  expect([without.summary.trace, kind.telemetry.traceOf?.(without.state)]).toEqual([null, undefined]);
});
