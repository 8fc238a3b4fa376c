// An attempt → its status codes and its worst paths: whether the canary broke one route or all of them, and how. Paths
// have `*` for parts that may name a person or hold a secret; the control plane keeps no others.
import { groupedBy } from "../../engines/grouped.ts";
import { percentage } from "../../engines/rollout/judge/wording.ts";
import type { BadAnswer } from "../../engines/rollout/views.ts";
import { html, type Markup } from "../markup.ts";
import { type Column, table } from "../table.ts";
import type { Tone } from "../tone.ts";
import type { Arm, Attempt } from "./attempts.ts";

/** The most paths that are shown. */
const pathsMax = 10;
/** The canary answers this much more often in a bad way than stable before a line is marked. */
const suspectFactor = 2;
/** A client that hung up; it counts neither as failed nor as refused. */
const hungUp = 499;

/** What both arms answered in one way. */
interface Line {
  readonly name: string;
  readonly code: number;
  readonly canary: number;
  readonly stable: number;
}

/** Shows the status codes and the worst paths; nothing before the canary had a request. */
export function badAnswers({ answers, users }: Attempt): Markup {
  const { canary, stable } = users;
  if (canary.requests === 0) return html``;
  if (answers.length === 0) {
    const bad = [canary, stable].some(({ failed, refused = 0 }) => failed + refused > 0);
    const says = bad ? "The journal does not say which codes and paths failed." : "Every answer was below 400.";
    return html`<h3>Status codes</h3><p class="note">${says}</p>`;
  }
  const paths = lines(answers, ({ code, path }) => `${code} ${path}`)
    .filter(({ name, canary: times }) => times > 0 && !name.endsWith(" "))
    .map((line) => ({ ...line, name: line.name.slice(line.name.indexOf(" ") + 1) }))
    .toSorted((one, other) => excess(other, users) - excess(one, users))
    .slice(0, pathsMax);
  return html`<h3>Status codes</h3>
<p class="note">All measured requests of users since the canary got traffic, warm-ups included.</p>
${table(codeColumns(users), codeLines(answers, users), toneIn(users))}
${paths.length === 0 ? "" : worstPaths(paths, users)}`;
}

const worstPaths = (paths: readonly Line[], users: Attempt["users"]): Markup => html`<h3>The canary's worst paths</h3>
<p class="note">By what the canary answered badly beyond stable's share. * hides what may be personal or secret.</p>
${table(
  [
    ["Path", ({ name }) => name],
    ["Answer", ({ code }) => nameOf(code)],
    ["Canary", ({ canary }) => canary.toLocaleString("en")],
    ["Stable", ({ stable }) => stable.toLocaleString("en")],
    ["The canary has it", (line) => compared(line, users)],
  ],
  paths,
  toneIn(users),
)}`;

const codeColumns = (users: Attempt["users"]): readonly Column<Line>[] => {
  const of = (arm: Arm) => (line: Line) =>
    `${line[arm].toLocaleString("en")}${line[arm] === 0 ? "" : ` (${percentage(line[arm], users[arm].requests)})`}`;
  return [
    ["Answer", ({ name }) => name],
    ["Canary", of("canary")],
    ["Stable", of("stable")],
    ["The canary has it", (line) => compared(line, users)],
  ];
};

/** Gives a line for what was answered well, if that is known, and one for each bad code. */
function codeLines(answers: readonly BadAnswer[], users: Attempt["users"]): readonly Line[] {
  const codes = lines(answers, ({ code }) => nameOf(code)).toSorted((one, other) => one.code - other.code);
  const well = (arm: Arm): number => {
    const { requests, failed, refused = 0 } = users[arm];
    return requests - failed - refused - (codes.find(({ code }) => code === hungUp)?.[arm] ?? 0);
  };
  return users.canary.refused === undefined || users.stable.refused === undefined
    ? codes
    : [{ name: "below 400", code: 200, canary: well("canary"), stable: well("stable") }, ...codes];
}

function lines(answers: readonly BadAnswer[], keyOf: (answer: BadAnswer) => string): readonly Line[] {
  return groupedBy(answers, keyOf).map((alike) => {
    const first = alike[0]!;
    const of = (arm: Arm) =>
      alike.filter((answer) => answer.arm === arm).reduce((sum, { requests }) => sum + requests, 0);
    return { name: keyOf(first), code: first.code, canary: of("canary"), stable: of("stable") };
  });
}

const nameOf = (code: number): string => {
  if (code === 0) return "no answer";
  return code === hungUp ? "499 (the client hung up)" : String(code);
};

/** Gives how many of the canary's answers are more than stable's share explains. */
const excess = (line: Line, { canary, stable }: Attempt["users"]): number =>
  line.canary - (stable.requests === 0 ? 0 : (line.stable * canary.requests) / stable.requests);

/** Compares how often both arms answered so, by their requests. */
function compared({ canary, stable }: Line, users: Attempt["users"]): string {
  if (canary === 0) return "never";
  if (users.stable.requests === 0) return "alone, since stable had no requests";
  if (stable === 0) return "alone";
  const times = canary / users.canary.requests / (stable / users.stable.requests);
  if (times > 0.9 && times < 1.1) return "as often as stable";
  if (times > 1) return `${times < 10 ? times.toFixed(1) : Math.round(times).toLocaleString("en")} times as often`;
  return "less often than stable";
}

/** Marks what the canary answers clearly more often than stable. */
const toneIn =
  (users: Attempt["users"]) =>
  (line: Line): Tone => {
    if (line.code > 0 && line.code < 400) return "plain";
    const isMore = excess(line, users) > line.canary * (1 - 1 / suspectFactor);
    if (!isMore || line.canary === 0) return "plain";
    return line.code === 0 || line.code >= 500 ? "bad" : "warn";
  };
