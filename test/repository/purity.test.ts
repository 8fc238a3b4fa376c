// The law that engines are pure, on lines that are and lines that are not. It reads the table of
// docs/explain/architecture.md, so it also shows that the page holds engines to it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importLaw, readTable } from "../support/repository/import-law.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "explain", "architecture.md"), "utf8");
const law = importLaw(readTable(page));
const uses = (text: string): readonly (string | undefined)[] =>
  law([{ path: "engines/a.ts", text, executable: false }]).map((line) => /it uses ([\w.]+), /.exec(line)?.[1]);

test.each([
  ["Date.now();", "Date"],
  ["new Date();", "Date"],
  ["function f(a: Date) {}", "Date"],
  ["const { now } = Date;", "Date"],
  ["function f(Date: number) {} Date.now();", "Date"],
  ["Temporal.Now.instant();", "Temporal"],
  ["Math.random();", "Math.random"],
  ['Math["random"]();', "Math.random"],
  ["Math[name]();", "name Math.random"],
  ["const { random } = Math;", "Math.random"],
  ["const chance = Math;", "Math.random"],
  ["const o = { Math };", "Math.random"],
  ["Array.fromAsync([]);", "Array.fromAsync"],
  ["globalThis.Math.random();", "globalThis"],
  ["const { performance: clock } = globalThis;", "globalThis"],
  ["self.Date.now();", "self"],
  ["performance.now();", "performance"],
  ["crypto.randomUUID();", "crypto"],
  ["const { getRandomValues } = crypto;", "crypto"],
  ["setTimeout(() => 1, 1);", "setTimeout"],
  ["const later = setInterval;", "setInterval"],
  ["setImmediate(() => 1);", "setImmediate"],
  ["queueMicrotask(() => 1);", "queueMicrotask"],
  ["const o = { fetch };", "fetch"],
  ["console.log();", "console"],
  ["process.env;", "process"],
  ["global.f();", "global"],
  ['eval("1");', "eval"],
  ['new Function("")();', "Function"],
  ["new WeakRef({});", "WeakRef"],
  ["new FinalizationRegistry(() => 1);", "FinalizationRegistry"],
  ["new SharedArrayBuffer(8);", "SharedArrayBuffer"],
  ["const a = import.meta.url;", "import.meta"],
  ["const a = async () => 1;", "async"],
  ["class C { async f() {} }", "async"],
  ["const f = () => 1; await f();", "async"],
  ["for await (const a of []) 1;", "async"],
  ["function f(): Promise<void> {}", "async"],
  ["new Intl.NumberFormat();", "Intl"],
  ["const language = 'en'; new Intl.NumberFormat(language);", "Intl"],
  ['new Intl.DateTimeFormat("en");', "Intl"],
  ['"a".localeCompare("b");', ".localeCompare"],
  ["(1000).toLocaleString();", ".toLocaleString"],
  ["new Error().stack;", ".stack"],
  ["const { stack } = new Error();", ".stack"],
  ["(() => 1).constructor('return 1');", ".constructor"],
  ['(1)["constructor"]', ".constructor"],
  ["let a = 1;", "state"],
  ["export let a = 1;", "state"],
  ["var a = 1;", "state"],
  ["const seen = new Set<string>(); export const f = (a: string) => seen.add(a);", "state"],
  ["const kept = new Map(); export const f = () => kept.set(1, 2);", "state"],
  ["const list: string[] = []; export function f() { list.push(''); }", "state"],
  ["const all = { a: { b: 1 } }; export function f() { all.a.b = 2; }", "state"],
  ["const all = { a: 1 }; export function f() { all.a++; }", "state"],
  ["const all = { a: 1 }; export function f() { delete all.a; }", "state"],
  ["const all = { a: 1 }; export function f() { Object.assign(all, { a: 2 }); }", "state"],
  ['import { all } from "./b.ts"; export function f() { all.a = 2; }', "state"],
  ["export const f = (() => { let n = 0; return () => n++; })();", "state"],
  ["class C { static n = 0; }", "state"],
  ["const every = /a/g; export const f = (a: string) => every.test(a);", "state"],
])("an engine does not contain %s", (text, words) => {
  expect(new Set(uses(text))).toEqual(new Set(words.split(" ").map((word) => word)));
});

test.each([
  "const a = { process: 1, at: b.Date, async: 2, console() {} }; // Date, await".replace("b.Date", "1"),
  "type F = { readonly process: string; readonly fetch: (process: string) => void };",
  'const a = { process: 1 }; const { process: step } = a; const b = "Date.now()"; const c = /Math.random/;',
  "Math.max(1, Math.PI); new Map(); [...new Set([1])]; JSON.stringify(Object.keys({})); Number.NaN; Infinity;",
  'new Intl.NumberFormat("en").format(1000);',
  "function f(self: string) { return self; }",
  "class Refused extends Error {} const isError = (a: unknown) => a instanceof Error;",
  "type Part<A> = A extends readonly (infer B)[] ? B : { readonly [Key in keyof A]: Record<Key, A[Key]> };",
  "export function f() { const kept = new Map<string, number>(); kept.set('a', 1); let n = 0; n++; return kept; }",
  "const one = /a/; export const f = (a: string) => one.test(a);",
])("an engine may contain %s", (text) => expect(uses(text)).toEqual([]));
