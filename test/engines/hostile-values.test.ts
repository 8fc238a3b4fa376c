// Values that nobody means, read by the forms of real kinds of work: a request, a signal, a stored fact. They come
// from callers, from a program under Pulumi, and from an engine with a bug. Reading ends soon, throws nothing that the
// frames do not expect, and its complaints stay short.
import { describe, expect, test } from "vitest";
import { list, object, optional, read, text } from "../../engines/form.ts";
import { type AnyKind, Misshapen } from "../../engines/kind.ts";
import { kinds } from "../../engines/kinds.ts";
import { releaseForm } from "../../engines/rollout/request.ts";
import { balloonKind } from "../support/balloon/kind.ts";
import { ferryKind } from "../support/ferry/kind.ts";

const deep = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));
const cyclic: Record<string, unknown> = { kind: "Planned", at: 1 };
cyclic["intent"] = cyclic;
const values: readonly (readonly [string, unknown])[] = [
  ["nothing", undefined],
  ["null", null],
  ["a number beyond all", Number.POSITIVE_INFINITY],
  ["no number", Number.NaN],
  ["a whole number beyond all", 10n ** 400n],
  ["a symbol", Symbol("s")],
  ["a function", () => 1],
  ["a date", new Date(Number.NaN)],
  ["a map", new Map([["kind", "Planned"]])],
  ["an object without a prototype", Object.create(null)],
  ["a cycle", cyclic],
  ["five thousand levels", deep(5_000)],
  ["a million elements", Array.from({ length: 1_000_000 }, () => "x")],
  ["a sparse list", Array.from({ length: 3 })],
  ["ten thousand unknown fields", Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`field${at}`, at]))],
  ["fields of a prototype", JSON.parse('{"__proto__": {"kind": "Planned"}, "constructor": 1, "toString": null}')],
  ["a text without end", "x".repeat(10_000_000)],
  ["half a character", "\ud800"],
  ["a text of controls", "\0\u001b[31m\n"],
];
const fieldsOfAll = ["kind", "at", "release", "strategy", "intent", "flight", "ropes", "signal", "message"];

const forms = {
  request: releaseForm,
  nested: object({ intent: optional(object({ ropes: list(text("a rope")) })), message: optional(text("a text")) }),
};

describe.each(values)("%s", (_, value) => {
  test("is read by a form without an exception, and complained about in bounded words", () => {
    for (const form of Object.values(forms))
      for (const given of [value, ...fieldsOfAll.map((name) => ({ [name]: value }))])
        for (const mode of ["strict", "stored"] as const) {
          const found = read(form as never, given, mode);
          if (!("complaints" in found)) continue;
          expect(found.complaints.length).toBeLessThan(20_000);
          for (const complaint of found.complaints) expect(complaint.length).toBeLessThan(1_000);
        }
  });

  test("is no fact of any kind, or one that this kind knows", () => {
    for (const { facts } of [...kinds.all, balloonKind, ferryKind] as readonly AnyKind[])
      for (const stored of [value, ...fieldsOfAll.map((name) => ({ kind: "Planned", at: 1, [name]: value }))])
        try {
          expect(facts.read(stored)).toMatchObject({ kind: expect.any(String) });
        } catch (error) {
          if (!(error instanceof Misshapen)) throw error;
          expect(error.message.length).toBeLessThan(5_000);
        }
  });
});
