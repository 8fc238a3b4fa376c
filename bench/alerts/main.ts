// `npm run bench:alerts`: a labelled week, played by detectors and by those who act on them. It is pure and takes
// seconds; docs/evidence/alerts.md has the result.
import { markdownTable } from "../markdown-table.ts";
import { contest } from "./contest.ts";
import { burnRates, type Detector, singleWindow, staticThreshold } from "./contestants.ts";
import type { Actor } from "./play.ts";
import { storm } from "./storm.ts";

const weeks = 20;
const contestants: readonly (readonly [Detector, Actor])[] = [
  [burnRates, "Ballast"],
  [burnRates, "nobody"],
  [singleWindow, "a Function that restarts"],
  [singleWindow, "nobody"],
  [staticThreshold, "a Function that restarts"],
  [staticThreshold, "nobody"],
];
const heads = [
  "alerts by",
  "acted on by",
  "precision",
  "recall",
  "detection (min)",
  "reset (min)",
  "pages an incident",
  "actions",
  "wrong actions",
  "failed requests",
];
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const rows = contestants.map(([detector, actor]) => {
  const scores = contest(detector, actor, weeks);
  return [
    detector.name,
    actor,
    percent(scores.precision),
    percent(scores.recall),
    scores.detectionMinutes.toFixed(0),
    scores.resetMinutes.toFixed(0),
    scores.pagesPerIncident.toFixed(1),
    scores.actions.toFixed(1),
    scores.wrongActions.toFixed(1),
    Math.round(scores.failedRequests).toLocaleString("en-US"),
  ];
});
process.stdout.write(`${markdownTable(heads, rows)}\n`);

const alerts = 1500;
const apps = 250;
const { incidents, decisions, p50, p99, most, criticalSeconds, p99Seconds } = await storm(alerts, apps);
process.stdout.write(`
A storm of ${alerts.toLocaleString("en-US")} alerts within a minute on ${apps} apps, one of them critical: \
${incidents} incidents, ${decisions.toLocaleString("en-US")} decisions.
A decision took ${p50.toFixed(2)} ms (p50), ${p99.toFixed(2)} ms (p99) and ${most.toFixed(1)} ms at most.
In virtual time the critical alert had its guards after ${criticalSeconds} s, 99 % of all after ${p99Seconds} s.
`);
