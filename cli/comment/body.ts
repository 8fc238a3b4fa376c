// The text of a comment: what changes, what the policies say about it, how it is released, and how far it reaches. It
// is pure: what was read comes in. GitHub refuses a long comment, so a long one shows fewer rows and says how many are
// left out.
import { duration } from "../../engines/time.ts";
import { many } from "../../engines/wording.ts";
import { runLink } from "../github/run-url.ts";
import {
  type Change,
  type Changes,
  dependentsMax,
  type Operation,
  operations,
  type PropertyChange,
  unknownText,
} from "./changes.ts";
import type { ComparedFindings, ReportedFinding, WaivedFinding } from "./findings.ts";
import { block, code, prose, table } from "./markdown.ts";
import { markerOf, type Subject, short } from "./marker.ts";
import type { PowerReport } from "./sources.ts";

/** What a comment is made of. */
export interface Content {
  readonly subject: Subject;
  /** The commit that the preview was made for. */
  readonly commit: string;
  /** Undefined if the preview failed before it had anything to say. */
  readonly changes: Changes | undefined;
  readonly hasFailed: boolean;
  readonly policies: ComparedFindings | undefined;
  /** What the judge can see, by app. */
  readonly power: ReadonlyMap<string, PowerReport>;
  /** Why that is not known, by app. @default no app */
  readonly powerUnknown?: ReadonlyMap<string, string>;
  readonly runUrl: string | undefined;
}

/** How many rows a comment shows at most. */
interface Room {
  readonly changes: number;
  readonly properties: number;
  readonly findings: number;
}

const rooms: readonly Room[] = [
  { changes: 60, properties: 6, findings: 30 },
  { changes: 30, properties: 2, findings: 12 },
  { changes: 12, properties: 1, findings: 5 },
  { changes: 0, properties: 0, findings: 0 },
];
/** GitHub's limit is 65,536; a notice may be added later. */
const charactersMax = 64_000;

/** Gives the comment. */
export function bodyOf(content: Content): string {
  const bodies = rooms.map((room) => withRoom(content, room));
  return bodies.find((body) => body.length <= charactersMax) ?? bodies.at(-1)!.slice(0, charactersMax);
}

function withRoom(content: Content, room: Room): string {
  const { subject, commit, changes, policies, runUrl } = content;
  const { project, stack } = subject;
  return [
    markerOf(subject, commit),
    `### Preview of ${prose(`${project}/${stack}`)}`,
    ...(content.hasFailed ? failure(changes) : []),
    ...(changes && !(content.hasFailed && changes.changes.length === 0) ? resources(changes, room) : []),
    ...(policies ? findings(policies, room) : []),
    ...(changes ? releasePlan(changes, content) : []),
    ...(changes ? blastRadius(changes) : []),
    footer(commit, runUrl),
    "",
  ].join("\n\n");
}

function footer(commit: string, runUrl: string | undefined): string {
  const run = runUrl === undefined ? "" : ` by ${runLink(runUrl)}`;
  return `<sub>Made for ${short(commit)}${run}. Ballast changes this comment with each commit.</sub>`;
}

const failure = (changes: Changes | undefined): readonly string[] => [
  "> [!CAUTION]\n> The preview failed, so an update would fail too.",
  ...(changes !== undefined && changes.errors.length > 0 ? [block(changes.errors.join("").slice(0, 2_000))] : []),
];

const icons: Readonly<Record<Operation, string>> = {
  delete: "➖ delete",
  replace: "♻️ replace",
  update: "✏️ update",
  create: "➕ create",
  import: "📥 import",
};

function resources({ changes, unchanged }: Changes, room: Room): readonly string[] {
  const counts = operations.flatMap((operation) => {
    const count = changes.filter((change) => change.operation === operation).length;
    return count === 0 ? [] : [`${count} to ${operation}`];
  });
  if (counts.length === 0) return [`**No changes.** ${unchanged} unchanged.`];
  const rows = changes
    .slice(0, room.changes)
    .map((change) => [
      icons[change.operation],
      `${code(change.name)}${change.isStore ? " 💾" : ""}`,
      code(change.type),
      what(change, room),
    ]);
  return [
    `**${counts.join(", ")}**, ${unchanged} unchanged.`,
    ...table(["", "resource", "type", "what changes"], rows),
    ...leftOut(changes.length - rows.length, "change"),
  ];
}

function what({ properties }: Change, room: Room): string {
  const shown = properties.slice(0, room.properties).map(propertyLine);
  const more = properties.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more ${more === 1 ? "property" : "properties"}`] : [])].join("<br>");
}

function propertyLine({ path, values, isReplacing }: PropertyChange): string {
  const note = isReplacing ? " (forces the replacement)" : "";
  if (values === undefined) return `${code(path)}${note}`;
  return `${code(path)}: ${valueText(values.before)} → ${valueText(values.after)}${note}`;
}

const valueText = (text: string): string => (text === unknownText ? text : text && code(text)) || "none";

const leftOut = (count: number, noun: string): readonly string[] =>
  count > 0 ? [`${many(count, noun)} more: the run has them all.`] : [];

function findings(compared: ComparedFindings, room: Room): readonly string[] {
  const { hasBase, added, kept, resolved, waived, notJudged, profile } = compared;
  const mandatory = added.filter(({ level }) => level === "mandatory").length;
  const head = hasBase
    ? `${many(added.length, "new finding")}, ${mandatory} mandatory; ${kept.length} known from the base, ` +
      `${resolved} no longer found.`
    : `${many(added.length, "finding")}, ${mandatory} mandatory. There is no report of the base to compare with.`;
  const unjudged = notJudged > 0 ? [`${many(notJudged, "value")} could not be judged before the update.`] : [];
  return [
    `#### Policies (profile ${prose(profile)})`,
    [head, ...unjudged].join(" "),
    ...lines(added.slice(0, room.findings).map(findingLine)),
    ...leftOut(added.length - Math.min(added.length, room.findings), "finding"),
    ...details("Waived", waived.slice(0, room.findings).map(waivedLine), waived.length),
    ...details("Known from the base", kept.slice(0, room.findings).map(findingLine), kept.length),
  ];
}

const lines = (items: readonly string[]): readonly string[] => (items.length === 0 ? [] : [items.join("\n")]);

const placeOf = ({ place: { file, line } }: Pick<ReportedFinding, "place">): string =>
  file === "" ? "" : ` ${code(`${file}:${line}`)}`;

const findingLine = (finding: ReportedFinding): string =>
  `- **${prose(finding.level)} ${prose(finding.severity)}** ${code(finding.rule)}${placeOf(finding)} ` +
  `${prose(finding.message)} *Fix:* ${prose(finding.fix)}.`;

const waivedLine = (finding: WaivedFinding): string =>
  `- ${code(finding.rule)}${placeOf(finding)} ${prose(finding.message)} Waived until ` +
  `${prose(finding.waiver.expires)} by ${prose(finding.waiver.owner)} (${prose(finding.waiver.ticket)}): ` +
  `${prose(finding.waiver.reason)}`;

const details = (title: string, items: readonly string[], count: number): readonly string[] =>
  count === 0 ? [] : [`<details><summary>${title}: ${count}</summary>\n\n${items.join("\n")}\n\n</details>`];

function releasePlan({ releases }: Changes, { power, powerUnknown }: Content): readonly string[] {
  if (releases.length === 0) return [];
  const rows = releases.map(({ app, weights, bakeSeconds, gatePercent }) => {
    const steps = weights === undefined ? unknownText : `${weights.join(" → ")} %`;
    const bake = bakeSeconds === undefined ? "" : `, ${duration(bakeSeconds)} each`;
    const gate = gatePercent === undefined ? "" : `, approval before ${gatePercent} %`;
    return [code(app), `${steps}${bake}${gate}`, ...sight(power.get(app))];
  });
  const said = releases.flatMap(({ app }) => {
    const report = power.get(app);
    const reason = report === undefined ? powerUnknown?.get(app) : undefined;
    return [
      ...[...(report?.shortfalls ?? []), ...(report?.cautions ?? [])].map((text) => `- ${code(app)} ${prose(text)}`),
      ...(reason === undefined ? [] : [`- ${code(app)}: ${prose(reason)}.`]),
    ];
  });
  return [
    "#### Release plan",
    ...table(["service", "traffic of the canary", "a healthy canary", "the smallest fault that is caught"], rows),
    ...lines(said),
  ];
}

/** What the judge can see: how long a healthy canary takes, and the smallest fault that is rolled back in time. */
function sight(report: PowerReport | undefined): readonly [string, string] {
  if (report === undefined) return ["traffic unknown", "traffic unknown"];
  const { healthy, faults, traffic } = report;
  const caught = faults.find(({ course }) => course.ending === "rolled-back");
  const rate = `${Math.round(traffic.requestsPerMinute).toLocaleString("en-US")} requests a minute`;
  const ending =
    healthy.ending === "promoted" ? `promoted after ${duration(Math.round(healthy.seconds))}` : "undecided";
  return [
    `${ending}, at ${rate}`,
    caught === undefined
      ? "none before the time is up"
      : `${prose(caught.name)}, after ${duration(Math.round(caught.course.seconds))}`,
  ];
}

const dependentsIn = (count: number): string =>
  count < dependentsMax ? many(count, "resource") : `${dependentsMax} resources or more`;

function blastRadius({ changes, unchanged, uncanaried }: Changes): readonly string[] {
  if (changes.length === 0) return [];
  const gone = changes.filter(({ operation }) => operation === "delete" || operation === "replace");
  const notes = [
    ...gone
      .filter(({ isStore }) => isStore)
      .map(({ name, operation }) => `- 💾 ${code(name)} keeps data, and the update would ${operation} it.`),
    ...gone
      .filter(({ isProtected }) => isProtected)
      .map(({ name }) => `- 🔒 ${code(name)} is protected, so the update would be refused.`),
    ...changes
      .filter(({ dependents }) => dependents > 0)
      .toSorted((one, other) => other.dependents - one.dependents)
      .slice(0, 10)
      .map(
        ({ name, dependents }) =>
          `- ${code(name)}: ${dependentsIn(dependents)} depend${dependents === 1 ? "s" : ""} on it.`,
      ),
    ...uncanaried.map((name) => `- ${code(name)} changes without a canary: its new revision serves at once.`),
  ];
  const total = changes.length + unchanged;
  return ["#### Blast radius", `${changes.length} of ${many(total, "resource")} change.`, ...lines(notes)];
}
