// `npm run test:report`: checks reports in a real browser, narrow and wide, light and dark. Each page must load without
// a complaint and without a request, and nothing in it may overlap, be cut off or leave its place. The pictures are
// kept in out/report.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolloutReport } from "../../../report/rollout/report.ts";
import { hostileFacts, scenarioFacts } from "../../support/controlplane/report-facts.ts";
import { scenarios } from "../../support/worlds/scenario.ts";
import { startChromium } from "./chromium.ts";

interface Found {
  readonly wrong: readonly string[];
  readonly charts: number;
  readonly curves: number;
  readonly badges: number;
  readonly facts: number;
}

const folder = join(import.meta.dirname, "..", "..", "..", "out", "report");
const audit = `() => {
${readFileSync(join(import.meta.dirname, "audit.js"), "utf8")}
return audit();
}`;
mkdirSync(folder, { recursive: true });
const pages = [
  ...(await Promise.all(scenarios().map(async ({ name }) => ({ name, facts: await scenarioFacts(name) })))),
  { name: "hostile-names", facts: await hostileFacts() },
];
const looks = [
  { width: 1400, dark: false },
  { width: 390, dark: true },
];

let passed = 0;
let failed = 0;
await using browser = await startChromium().catch((error: Error) => {
  process.stdout.write(`${error.message}\n0 passed, 1 failed\n`);
  process.exit(1);
});
for (const { name, facts } of pages) {
  const file = join(folder, `${name}.html`);
  writeFileSync(file, rolloutReport(facts));
  for (const look of looks) {
    const { found, complaints, png } = await browser.open(file, look, audit);
    const { wrong, charts, curves, badges, facts: rows } = found as Found;
    writeFileSync(join(folder, `${name}-${look.width}.png`), png);
    const isMeasured = facts.some(
      ({ event }) => event.kind === "Measured" && event.buckets.some(({ canary }) => canary.requests > 0),
    );
    const missing = [
      ...(isMeasured && (charts < 4 || curves < 6) ? [`it has only ${charts} charts and ${curves} curves`] : []),
      ...(charts > 0 && badges === 0 ? ["no decision is marked"] : []),
      ...(rows < facts.length ? [`${rows} of ${facts.length} facts are shown`] : []),
    ];
    const all = [...wrong, ...complaints, ...missing];
    all.length === 0 ? passed++ : failed++;
    for (const line of all) process.stdout.write(`${name} at ${look.width}: ${line}\n`);
  }
}
process.stdout.write(`pictures in ${folder}\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
