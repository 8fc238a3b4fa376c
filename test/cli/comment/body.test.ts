// What a comment says, from a recorded preview of the real Pulumi CLI and from made ones: which values are shown and
// which never, what is new against the base, the release plan, the blast radius, and that nothing in a file can break
// out of its place.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodyOf, type Content } from "../../../cli/comment/body.ts";
import { type Changes, readChanges } from "../../../cli/comment/changes.ts";
import { compareFindings, type PolicyReport, type ReportedFinding } from "../../../cli/comment/findings.ts";
import type { PowerReport } from "../../../cli/comment/sources.ts";
import { findSecrets } from "../../support/secret-scan.ts";

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "preview.json"), "utf8"));
const secret = "Tr0ub4dor-and-3";

const body = (content: Partial<Content>): string =>
  bodyOf({
    subject: { project: "shop", stack: "prod" },
    commit: "4f2a9c1d",
    changes: undefined,
    hasFailed: false,
    policies: undefined,
    power: new Map(),
    runUrl: undefined,
    ...content,
  });

const urn = (type: string, name: string): string => `urn:pulumi:prod::shop::${type}::${name}`;

interface Drafted {
  readonly op?: string;
  readonly type?: string;
  readonly name?: string;
  readonly old?: object;
  readonly now?: object;
  readonly paths?: readonly string[];
  readonly state?: object;
}

/** Gives the changes of a preview with these steps. */
function changesOf(...steps: readonly Drafted[]): Changes {
  const raw = steps.map(({ op = "update", type = "azure-native:app:ContainerApp", name = "shop", ...rest }) => ({
    op,
    urn: urn(type, name),
    oldState: { inputs: rest.old ?? {}, ...rest.state },
    newState: op === "delete" ? undefined : { inputs: rest.now ?? {}, ...rest.state },
    detailedDiff: Object.fromEntries((rest.paths ?? []).map((path) => [path, { kind: "update", inputDiff: true }])),
  }));
  return readChanges({ steps: raw, changeSummary: {} })!;
}

describe("changes", () => {
  test("a recorded preview gives one row for each change, the gravest first, with what forces a replacement", () => {
    const text = body({ changes: readChanges(recorded)! });
    expect(text).toContain("**1 to delete, 1 to replace, 2 to update, 1 to create**, 1 unchanged.");
    expect(text.split("\n").filter((line) => /^\| [➖♻✏➕]/u.test(line))).toEqual([
      "| ➖ delete | `old` | `app:Job` |  |",
      "| ♻️ replace | `journal` 💾 | `dbforpostgresql:Server` | `location`: `westeurope` → `northeurope` " +
        "(forces the replacement)<br>`tags` |",
      "| ✏️ update | `database` 💾 | `dbforpostgresql:Database` | `serverName`: none → known after the update |",
      "| ✏️ update | `shop` | `app:ContainerApp` | `template.containers[0].image`: `shop.azurecr.io/shop:1` → " +
        "`shop.azurecr.io/shop:2` |",
      "| ➕ create | `fresh` | `app:Job` |  |",
    ]);
    expect(text).toContain("5 of 6 resources change.");
  });

  test("a change without steps says so, and several steps of one replacement are one row", () => {
    const same = { op: "same", type: "azure-native:resources:ResourceGroup", name: "group" };
    expect(body({ changes: { ...changesOf(same), unchanged: 3 } })).toContain("**No changes.** 3 unchanged.");
    const steps = ["create-replacement", "replace", "delete-replaced"].map((op) => ({ op }));
    expect(changesOf(...steps).changes.map(({ operation }) => operation)).toEqual(["replace"]);
  });

  test("no value is shown that is a secret by its mark, its name, its form, or the name of what is around it", () => {
    const envelope = {
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      plaintext: `"${secret}"`,
    };
    const connection = `postgres://store:${secret}@db.example/shop`;
    const drafts: readonly [string, (value: unknown) => object, unknown][] = [
      ["a.b", (b) => ({ a: { b } }), envelope],
      ["a.b", (b) => ({ a: { b } }), "[secret]"],
      ["a.b", (b) => ({ a: { b } }), connection],
      ["clientSecret", (clientSecret) => ({ clientSecret }), secret],
      ["passwords.one", (one) => ({ passwords: { one } }), secret],
      ['tags["api.token"]', (token) => ({ tags: { "api.token": token } }), secret],
      ["env[1].value", (value) => ({ env: [{}, { name: "SMTP_PASSWORD", value }] }), secret],
      ["properties.value", (value) => ({ properties: { value } }), secret],
    ];
    for (const [path, around, value] of drafts) {
      const type = path === "properties.value" ? "azure-native:keyvault:Secret" : "azure-native:app:ContainerApp";
      const changes = changesOf({ type, old: around("plain"), now: around(value), paths: [path] });
      const text = body({ changes });
      expect(findSecrets([{ name: path, text }], { secret })).toEqual([]);
      expect(text).toContain(`| \`${path}\` |`);
    }
    const shown = changesOf({ old: { a: { b: "1" } }, now: { a: { b: secret } }, paths: ["a.b"] });
    expect(findSecrets([{ name: "a.b", text: body({ changes: shown }) }], { secret })).toHaveLength(1);
  });
});

describe("blast radius", () => {
  test("names stores that go, what is protected, what depends on a change, and apps without a canary", () => {
    const server = urn("azure-native:dbforpostgresql:Server", "journal");
    const on = (of: string, name: string): Drafted => ({
      op: "same",
      type: "azure-native:app:Job",
      name,
      state: { dependencies: [of] },
    });
    const changes = changesOf(
      { op: "delete", type: "azure-native:dbforpostgresql:Server", name: "journal", state: { protect: true } },
      on(server, "one"),
      on(urn("azure-native:app:Job", "one"), "two"),
      { paths: ["template.containers[0].image"] },
    );
    const text = body({ changes });
    expect(text).toContain("- 💾 `journal` keeps data, and the update would delete it.");
    expect(text).toContain("- 🔒 `journal` is protected, so the update would be refused.");
    expect(text).toContain("- `journal`: 2 resources depend on it.");
    expect(text).toContain("- `shop` changes without a canary: its new revision serves at once.");
  });

  test("a long chain of resources is counted up to a limit: it would be walked for minutes", () => {
    const chain = Array.from({ length: 2000 }, (_, at) => ({
      name: `r${at}`,
      state: { dependencies: at === 0 ? [] : [urn("azure-native:app:ContainerApp", `r${at - 1}`)] },
    }));
    const text = body({ changes: changesOf(...chain) });
    expect(text).toContain("`r0`: 1000 resources or more depend on it.");
    expect(text.length).toBeLessThan(65_536);
  });

  test("an app with a release has a canary", () => {
    const release = { type: "ballast:index:Release", name: "shop", now: { app: "shop" } };
    expect(changesOf({ paths: ["template"] }, release).uncanaried).toEqual([]);
    expect(changesOf({ paths: ["template"] }, { ...release, now: { app: "cart" }, name: "cart" }).uncanaried).toEqual([
      "shop",
    ]);
    expect(changesOf({ paths: ["tags"] }).uncanaried).toEqual([]);
  });
});

describe("release plan", () => {
  const strategy = { weights: [5, 25], bakeSeconds: 600 };
  const inputs = { app: "storefront", strategy, gate: { beforePercent: 25 } };
  const changes = changesOf({ op: "create", type: "ballast:index:Release", name: "shop", now: inputs });
  const course = (ending: string, seconds: number) => ({ ending, seconds });
  const power: PowerReport = {
    traffic: { requestsPerMinute: 1_200 },
    healthy: course("promoted", 2_163),
    faults: [
      { name: "+1 point", course: course("undecided", 0) },
      { name: "+2 points", course: course("rolled-back", 600) },
    ],
    shortfalls: ["at 1,200 requests a minute, a canary that fails one point more is not detected."],
    cautions: [],
  };

  test("shows the steps of each release, and what the judge can see at the service's traffic", () => {
    const text = body({ changes, power: new Map([["storefront", power]]) });
    expect(text).toContain(
      "| `storefront` | 5 → 25 → 100 %, 10m each, approval before 25 % | promoted after 36m 3s, at 1,200 requests a " +
        "minute | +2 points, after 10m |",
    );
    expect(text).toContain("- `storefront` at 1,200 requests a minute, a canary that fails one point more is not");
  });

  test("says that the traffic is unknown without an estimate, and has no part without a release", () => {
    expect(body({ changes })).toContain("| traffic unknown | traffic unknown |");
    expect(body({ changes: changesOf({ paths: ["tags"] }) })).not.toContain("Release plan");
    const powerUnknown = new Map([["storefront", "no rollout of it has measured @its traffic yet"]]);
    expect(body({ changes, powerUnknown })).toContain(
      "- `storefront`: no rollout of it has measured @\u200bits traffic",
    );
    expect(body({ changes, powerUnknown, power: new Map([["storefront", power]]) })).not.toContain("no rollout of it");
  });
});

const finding = (rule: string, subject: string, more: Partial<ReportedFinding> = {}): ReportedFinding => ({
  rule,
  subject,
  severity: "high",
  level: "mandatory",
  message: `${rule} of ${subject}.`,
  fix: "fix it",
  isOld: false,
  place: { file: "index.ts", line: 3 },
  ...more,
});
const report = (findings: readonly ReportedFinding[], more: Partial<PolicyReport> = {}): PolicyReport => ({
  stack: "prod",
  profile: "strict",
  findings,
  waived: [],
  notJudged: [],
  ...more,
});

describe("policies", () => {
  const waiver = { owner: "team-shop", ticket: "SHOP-17", expires: "2027-01-15", reason: "No digests yet." };

  test("a finding is new if neither the findings nor the waived ones of the base have it", () => {
    const base = report([finding("a", "1"), finding("b", "2"), finding("c", "3")], {
      waived: [{ ...finding("d", "4"), waiver }],
    });
    const head = report([finding("a", "1"), finding("a", "9"), finding("d", "4")], { notJudged: [{ rule: "c" }] });
    const compared = compareFindings(head, base);
    expect(compared.added.map(({ subject }) => subject)).toEqual(["9"]);
    expect(compared.kept.map(({ subject }) => subject)).toEqual(["1", "4"]);
    expect(compared.resolved).toBe(1); // b; c could not be judged
    const text = body({ policies: compared });
    expect(text).toContain("1 new finding, 1 mandatory; 2 known from the base, 1 no longer found.");
    expect(text).toContain("- **mandatory high** `a` `index.ts:3` a of 9. *Fix:* fix it.");
    expect(text).toContain("<summary>Known from the base: 2</summary>");
  });

  test("without a base nothing is called new, and a waived finding is shown with who answers for it", () => {
    const text = body({
      policies: compareFindings(report([finding("a", "1")], { waived: [{ ...finding("b", "2"), waiver }] }), undefined),
    });
    expect(text).toContain("1 finding, 1 mandatory. There is no report of the base to compare with.");
    expect(text).toContain("b of 2. Waived until 2027-01-15 by team-shop (SHOP-17): No digests yet.");
  });
});

describe("a comment from hostile files", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.constantFrom("a | b", "`x`", "--> <img src=x>", "@everyone", "#1", "a\n| b |", "</details>", "```", "[a](b)"),
    fc.constantFrom("a\\| @everyone |", "a\\\\| x", "\\", "GH-1", "see https://evil.example/x", "www.evil.example"),
  );
  /** Splits a row as GitHub does: a backslash and what follows it are one character, in code too. */
  const cellsOf = (row: string): readonly string[] =>
    row
      .replaceAll(/\\[|!"#$%&'()*+,./:;<=>?@[\\\]^_`{}~-]/g, "x")
      .split("|")
      .slice(1, -1);

  test("keeps its rows and its marker, mentions nobody, and makes no element of its own", () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, value, message) => {
        const plain = body(hostileContent("plain", "plain", "Plain."));
        const text = body(hostileContent(name, value, message));
        // Code shows what it holds as it is.
        const outside = text.replaceAll(/`[^`\n]*`/g, "");
        expect(text.split("\n")[0]).toBe(plain.split("\n")[0]);
        expect(text.split("\n").filter((line) => line.startsWith("| ")).length).toBe(
          plain.split("\n").filter((line) => line.startsWith("| ")).length,
        );
        const row = text.split("\n").find((line) => line.startsWith("| ✏️"))!;
        expect(cellsOf(row)).toHaveLength(4);
        expect(outside).not.toMatch(/[@#][\w]|\bGH-\d/);
        expect(outside.replaceAll(/\]\(https:[^)]*\)/g, "")).not.toMatch(/:\/\/|\bwww\./i);
        expect(outside.match(/(?<!\\)<(?!!--|br>|sub>|\/sub>)/g)).toBe(null);
      }),
      { numRuns: 300 },
    );
  });

  const hostileContent = (name: string, value: string, message: string): Partial<Content> => ({
    changes: changesOf({ name: `n${name}`, old: { a: "1" }, now: { a: `v${value}` }, paths: ["a"] }),
    policies: compareFindings(report([finding("a", "1", { message: `m${message}` })]), undefined),
  });

  test("shows fewer rows where GitHub would refuse its length, and says how many are missing", () => {
    const long = "x".repeat(110);
    const many = Array.from({ length: 2_000 }, (_, at) => ({
      name: `app-${at}-${long}`,
      old: { a: long, b: long },
      now: { a: `${long}1`, b: "y".repeat(118) },
      paths: ["a", "b"],
    }));
    const findings = Array.from({ length: 500 }, (_, at) => finding(`rule-${at}`, long, { message: long.repeat(3) }));
    const text = body({ changes: changesOf(...many), policies: compareFindings(report(findings), undefined) });
    expect(text.length).toBeLessThan(64_001);
    expect(text).toMatch(/\n19\d\d changes more: the run has them all\.\n/);
    expect(text).toContain("Ballast changes this comment with each commit.");
  });
});
