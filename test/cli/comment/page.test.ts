// The comment that docs/guides/pull-requests.md shows is what the code makes of the recorded preview, a release of its
// app, and what the policies and the judge say about it. `UPDATE=1` writes it anew.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bodyOf } from "../../../cli/comment/body.ts";
import { readChanges } from "../../../cli/comment/changes.ts";
import { compareFindings, type ReportedFinding } from "../../../cli/comment/findings.ts";
import { power } from "../../../engines/rollout/judge/power.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";

const page = join(import.meta.dirname, "..", "..", "..", "docs", "guides", "pull-requests.md");
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "preview.json"), "utf8"));
const fence = /(?<=\n````markdown\n)[^]*?(?=\n````\n)/;

const release = {
  op: "create",
  urn: "urn:pulumi:prod::shop::ballast:index:Release::shop",
  newState: { inputs: { app: "shop", strategy: defaultStrategy } },
};
const finding: ReportedFinding = {
  rule: "image-by-digest",
  severity: "medium",
  level: "mandatory",
  subject: "shop",
  message: "The image shop.azurecr.io/shop:2 of shop is named by a tag.",
  fix: "name it by its digest",
  isOld: false,
  place: { file: "index.ts", line: 24 },
};
const waiver = { owner: "team-shop", ticket: "SHOP-17", expires: "2027-01-15", reason: "It answers at once" };
const waived = {
  ...finding,
  rule: "probes-present",
  message: "shop serves requests without a readiness probe.",
  waiver,
};

test("the page shows the comment that the code writes", () => {
  const plan = { strategy: defaultStrategy, thresholds: defaultThresholds };
  const traffic = { requestsPerMinute: 1_200, failurePercent: 0.5, dispersion: 1 };
  const report = { stack: "prod", profile: "strict", findings: [finding], waived: [waived], notJudged: [] };
  const body = bodyOf({
    subject: { project: "shop", stack: "prod" },
    commit: "4f2a9c1d",
    changes: readChanges({ ...recorded, steps: [...recorded.steps, release] }),
    hasFailed: false,
    policies: compareFindings(report, { ...report, findings: [] }),
    power: new Map([["shop", { traffic, ...power(plan, traffic), shortfalls: [], cautions: [] }]]),
    runUrl: "https://github.com/acme/shop/actions/runs/1",
  }).trimEnd();
  const text = readFileSync(page, "utf8");
  if (process.env["UPDATE"] === "1")
    writeFileSync(
      page,
      text.replace(fence, () => body),
    );
  expect(fence.exec(readFileSync(page, "utf8"))?.[0]).toBe(body);
});
