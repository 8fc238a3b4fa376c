// Levels, waivers and baselines as pure functions: what a profile makes of a severity, what a waiver covers and for how
// long, and that a baseline only shrinks.
import { expect, test } from "vitest";
import type { Severity } from "../../analysis/rule.ts";
import type { PulumiFinding } from "../../analysis/systems/pulumi/view.ts";
import { baselineText, entryOf, readBaseline, shrunk } from "../../policies/baseline.ts";
import { type Basis, type Choice, judgementOf } from "../../policies/judgement.ts";
import { levelOf, profiles, tierOf } from "../../policies/profiles.ts";
import { isRefused, noSettings, type PolicySettings, readPolicySettings } from "../../policies/settings.ts";
import { dateOf, dayOf } from "../../policies/waivers.ts";

const today = dayOf(Date.UTC(2026, 10, 28));
const rules = new Set(["image-by-digest", "probes-present"]);
const urn = "urn:pulumi:prod::shop::azure-native:app:ContainerApp::shop";
const finding = (severity: Severity = "high", rule = "image-by-digest"): PulumiFinding => ({
  ...{ rule, severity, known: "structural", urn, subject: `${urn} image` },
  place: { file: "Pulumi.yaml", line: 3, column: 1, endLine: 3, endColumn: 1 },
  ...{ message: "It is so.", cost: "It costs.", fix: "do it" },
});
const judge = (more: Partial<Basis> = {}) =>
  judgementOf({
    ...{ stack: "prod", settings: noSettings, baseline: [], today },
    judged: { findings: [finding()], unjudged: new Map(), failed: [] },
    ...more,
  });
/** Gives `level rule` of each finding. */
const said = (more: Partial<Basis> = {}): readonly string[] =>
  judge(more).findings.map(({ level, finding: { rule } }) => `${level} ${rule}`);

const waiver = (change: Readonly<Record<string, string | undefined>> = {}): string => {
  const fields = {
    rule: "image-by-digest",
    target: "shop",
    environment: "prod",
    reason: "The build gives no digest yet.",
    owner: "team-shop",
    ticket: "SHOP-17",
    created: dateOf(today - 10),
    expires: dateOf(today + 20),
    ...change,
  };
  const lines = Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [`    ${key}: ${value}`]));
  return `version: 1\nwaivers:\n  -\n${lines.join("\n")}\n`;
};
const settingsOf = (text: string): PolicySettings => {
  const read = readPolicySettings(text, rules);
  if (isRefused(read)) throw new Error(read.map(({ message }) => message).join("; "));
  return read;
};
const complaintsOf = (text: string): readonly string[] => {
  const read = readPolicySettings(text, rules);
  return isRefused(read) ? read.map(({ place, message }) => `${place.line} ${message}`) : [];
};

test("a profile is stricter than the one before it", () => {
  const levels = (from: Severity) =>
    (["low", "medium", "high", "critical"] as const).map((each) => levelOf(each, from));
  const count = (profile: keyof typeof profiles): number =>
    levels(profiles[profile]).filter((level) => level === "mandatory").length;
  expect([count("relaxed"), count("standard"), count("strict")]).toEqual([1, 2, 4]);
  expect(levelOf("info", "info")).toBe("advisory");
});

test("a stack's tier follows from its name, and the settings come first", () => {
  expect(["prod", "acme/shop/eu-prod", "staging", "dev", "local", "blue"].map(tierOf)).toEqual([
    ...["production", "production", "staging", "development", "development", "staging"],
  ]);
  const settings = settingsOf("version: 1\ntiers:\n  - { stack: pr*, tier: development }\n");
  expect(judge({ settings })).toMatchObject({ tier: "development", profile: "relaxed" });
  expect(said({ settings })).toEqual(["advisory image-by-digest"]);
  expect(said({ settings, profile: "strict" })).toEqual(["mandatory image-by-digest"]);
  expect(judge({ settings: settingsOf("version: 1\nprofiles: { production: standard }\n") }).profile).toBe("standard");
});

test("a choice softens, disables or sharpens one policy", () => {
  const choose = (choice: Choice) => ({ choices: new Map([["image-by-digest", choice]]) });
  expect(said(choose({ level: "advisory" }))).toEqual(["advisory image-by-digest"]);
  expect(said(choose({ level: "disabled" }))).toEqual([]);
  expect(said(choose({ level: "mandatory", mandatoryFrom: "critical" }))).toEqual(["advisory image-by-digest"]);
});

test("a waiver covers its rule, its target and its stack, until its last day", () => {
  const with_ = (change: Readonly<Record<string, string>>) => said({ settings: settingsOf(waiver(change)) });
  const covered = { settings: settingsOf(waiver()) };
  expect(said(covered)).toEqual([]);
  expect(judge(covered).waived.map(({ waiver: { ticket } }) => ticket)).toEqual(["SHOP-17"]);
  expect(with_({ target: '"*ContainerApp::shop"' })).toEqual([]);
  expect(with_({ environment: '"p*"' })).toEqual([]);
  expect(with_({ expires: dateOf(today) })).toEqual([]);
  expect(with_({ environment: "staging" })).toEqual(["mandatory image-by-digest"]);
  expect(with_({ target: "shop-2" })).toEqual(["mandatory image-by-digest", "mandatory waiver-unused"]);
  expect(with_({ rule: "probes-present" })).toEqual(["mandatory image-by-digest", "mandatory waiver-unused"]);
  expect(with_({ expires: dateOf(today - 1) })).toEqual(["mandatory image-by-digest", "mandatory waiver-expired"]);
});

test("a waiver that lasts too long, is renewed too often, begins tomorrow or gives no reason is not applied", () => {
  const broken: readonly Readonly<Record<string, string>>[] = [
    { expires: dateOf(today + 81) },
    { renewals: "3" },
    { created: dateOf(today + 1) },
    { expires: dateOf(today - 11) },
    { reason: "later" },
  ];
  for (const change of broken)
    expect(said({ settings: settingsOf(waiver(change)) }), JSON.stringify(change)).toEqual([
      "mandatory image-by-digest",
      "mandatory waiver-refused",
    ]);
  for (const change of [{ expires: dateOf(today + 80) }, { renewals: "2" }, { created: dateOf(today) }])
    expect(said({ settings: settingsOf(waiver(change)) }), JSON.stringify(change)).toEqual([]);
});

test("a waiver is not called unused while its rule could not judge its target", () => {
  const judged = (path: string) => ({
    findings: [],
    unjudged: new Map([["image-by-digest", [{ urn: path, path: "a" }]]]),
    failed: [],
  });
  const settings = settingsOf(waiver());
  expect(said({ settings, judged: judged(urn) })).toEqual([]);
  expect(said({ settings, judged: judged("urn:pulumi:prod::shop::a:b:C::other") })).toEqual([
    "mandatory waiver-unused",
  ]);
});

test.each([
  ["owner", { owner: undefined }, "a waiver needs owner"],
  ["expiry", { expires: undefined }, "a waiver needs expires"],
  ["a real date", { expires: "2026-02-30" }, "expires must be a date such as 2027-01-31"],
  ["a rule that exists", { rule: "image-by-tag" }, "image-by-tag is not a rule"],
  ["known fields", { until: "2027-01-01" }, "until is not a field of a waiver"],
  ["whole renewals", { renewals: "1.5" }, "renewals must be a whole number"],
])("the settings are refused if a waiver lacks %s", (_what, change, message) => {
  expect(complaintsOf(waiver(change))).toEqual([expect.stringContaining(message)]);
});

test("the settings are refused for an unknown field, tier, profile or version, each with its line", () => {
  expect(
    complaintsOf("version: 2\nwaiver: []\ntiers:\n  - { stack: a, tier: prod }\nprofiles: { production: lax }\n"),
  ).toEqual([
    "2 waiver is not a field of this file",
    "1 version must be 1",
    "4 tier must be one of development, staging, production",
    "5 a profile must be one of relaxed, standard, strict",
  ]);
});

test("what the baseline has stays visible and stops nothing, and what is gone from it is a finding", () => {
  const entry = entryOf("prod", finding());
  expect(said({ baseline: [entry] })).toEqual(["advisory image-by-digest"]);
  expect(said({ baseline: [{ ...entry, stack: "dev" }] })).toEqual(["mandatory image-by-digest"]);
  expect(said({ baseline: [entry, { ...entry, subject: "gone" }] })).toEqual([
    "mandatory baseline-stale",
    "advisory image-by-digest",
  ]);
});

test("a baseline shrinks by what is gone from its own stack, and is read as it was written", () => {
  const entry = entryOf("prod", finding());
  const entries = [entry, { ...entry, subject: "gone" }, { ...entry, stack: "dev" }];
  const shrink = (isUnsure: (rule: string) => boolean) =>
    shrunk(entries, "prod", [entry, { ...entry, subject: "new" }], isUnsure);
  expect(shrink(() => false)).toEqual([entry, { ...entry, stack: "dev" }]);
  expect(shrink((rule) => rule === entry.rule)).toEqual(entries);
  expect(readBaseline(baselineText(entries.toReversed()))).toEqual(readBaseline(baselineText(entries)));
  for (const text of ["", "{}", '{"version":1}', '{"version":1,"findings":[{}]}'])
    expect(readBaseline(text)).toBe(undefined);
});
