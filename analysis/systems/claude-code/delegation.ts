// Finds in prose who is asked to do something: "Use the x agent to", `subagent_type: "x"`, "Agent: x", numbered
// rosters. Prose is never certain, so every delegation has a confidence; what only mentions a name, forbids it or
// shows an example is not a delegation. A name that no agent has must look like the name of an agent before it counts.
import type { Place } from "../../place.ts";
import {
  asked,
  coded,
  forbids,
  handed,
  isConditional,
  isNoName,
  labelled,
  looksLikeAgent,
  mayDelegate,
  mentioned,
  named,
  onlyLooks,
  parallel,
  pointsBack,
  roster,
  typed,
} from "./cues.ts";
import { placeIn } from "./frontmatter.ts";
import type { ProseLine, Section } from "./markdown.ts";

/** A name that prose hands work to. */
export interface Delegation {
  readonly name: string;
  readonly place: Place;
  readonly confidence: number;
  /** How it is written, for reports. */
  readonly cue: string;
  readonly isConditional: boolean;
  /** Whether the text around it asks for work side by side. */
  readonly isParallel: boolean;
  /** Whether its step uses the result of an earlier one. */
  readonly usesEarlier: boolean;
  /** Whether its step only looks and changes nothing. */
  readonly isReading: boolean;
  /** The list and the place in it, if it stands in a step. */
  readonly list: string | undefined;
  readonly index: number;
}

/** Whether a name is that of an agent of the repository, or a built-in one. */
export type Knows = (name: string) => boolean;

/** Finds the delegations of a prompt. */
export function delegationsIn(file: string, prose: readonly ProseLine[], knows: Knows): readonly Delegation[] {
  const rosterLines = prose.filter(({ text, fence }) => fence === undefined && roster.test(text)).length;
  const speaksOfAgents = prose.some(({ text }) => /\bagents?\b/i.test(text));
  const hasRoster = rosterLines >= 3 && speaksOfAgents;
  return prose.flatMap((line) => foundIn(line, knows, hasRoster).map((each) => delegation(file, line, each)));
}

interface Found {
  readonly name: string;
  readonly at: number;
  readonly confidence: number;
  readonly cue: string;
}

function foundIn(line: ProseLine, knows: Knows, hasRoster: boolean): readonly Found[] {
  const { text, fence } = line;
  if (!mayDelegate.test(text)) return [];
  const types = [...text.matchAll(typed)].map(({ 1: name, index }) => found(name!, index, 0.95, "subagent_type"));
  const calls = [...text.matchAll(coded)].map(({ 1: name, index }) =>
    found(name!, index, knows(name!) ? 0.85 : 0.6, "a call"),
  );
  types.push(...calls);
  const all = fence === undefined ? [...types, ...foundInProse(text, knows, hasRoster)] : types;
  return all.filter(({ name, at }, index) => {
    const before = text.slice(0, at).replace(/.*[.;!?]\s/, "");
    return !isNoName(name) && !forbids(before) && all.findIndex((each) => each.name === name) === index;
  });
}

const found = (name: string, at: number, confidence: number, cue: string): Found => ({ name, at, confidence, cue });

/** The surer patterns come first; each name counts once a line. */
const foundInProse = (text: string, knows: Knows, hasRoster: boolean): readonly Found[] => [
  ...[...text.matchAll(mentioned)].map(({ 1: name, index }) => found(name!, index, 0.9, "@agent")),
  ...[...text.matchAll(asked)].flatMap(([cue, marks, name]) => {
    if (marks !== "" || knows(name!)) return found(name!, text.indexOf(cue), 0.9, cue);
    return looksLikeAgent(name!) ? found(name!, text.indexOf(cue), 0.75, cue) : [];
  }),
  ...[...text.matchAll(handed)].flatMap(([cue, marks, name]) => {
    const isMarked = marks !== "";
    if (knows(name!)) return isMarked || name!.includes("-") ? found(name!, text.indexOf(cue), 0.85, cue) : [];
    return isMarked && looksLikeAgent(name!) ? found(name!, text.indexOf(cue), 0.75, cue) : [];
  }),
  ...labelledNames(text).flatMap(({ name, isMarked }) => {
    if (knows(name)) return found(name, text.indexOf(name), 0.9, "Agent:");
    const isNamed = looksLikeAgent(name) || (isMarked && name.includes("-"));
    return isNamed ? found(name, text.indexOf(name), 0.8, "Agent:") : [];
  }),
  ...numbered(text, knows, hasRoster),
  ...[...text.matchAll(named)].flatMap(([cue, , name]) =>
    knows(name!) || looksLikeAgent(name!) ? found(name!, text.indexOf(cue), 0.7, cue) : [],
  ),
];

function numbered(text: string, knows: Knows, hasRoster: boolean): readonly Found[] {
  const item = roster.exec(text)?.[1];
  if (item === undefined) return [];
  if (knows(item)) return [found(item, text.indexOf(item), 0.85, "numbered")];
  return hasRoster ? [found(item, text.indexOf(item), 0.7, "numbered")] : [];
}

/** Gives the names of a line such as "**Agent chain**: a → b". Prose after the colon is no list of names. */
function labelledNames(text: string): readonly { readonly name: string; readonly isMarked: boolean }[] {
  const list = labelled.exec(text)?.[1];
  if (list === undefined) return [];
  const parts = list.split(/\s*(?:→|->|,|\+|\band\b|\bthen\b)\s*/).map((part) => part.replace(/\s*\(.*$/, "").trim());
  const names = parts.map((part) => ({ name: part.replaceAll(/[`*"'@]|\.$/g, ""), isMarked: /^[`*"']/.test(part) }));
  return names.every(({ name }) => /^[a-z][\w:.-]*$/.test(name)) ? names : [];
}

function delegation(file: string, line: ProseLine, { name, at, confidence, cue }: Found): Delegation {
  const { step, section, text } = line;
  const unit = (step?.lines ?? [line]).map((each) => each.text).join("\n");
  const bare = unit.replaceAll(new RegExp(`\\b${name.replaceAll(".", "\\.")}\\b`, "g"), "");
  const sentence = text.slice(0, at).replace(/.*[.;!?]\s/, "");
  return {
    name,
    place: placeIn(file, line.line, at + 1, text.length - at),
    confidence,
    cue: cue.trim(),
    isConditional: isConditional(sentence),
    isParallel: parallel.test(unit) || asksForParallel(section),
    usesEarlier: pointsBack(bare),
    isReading: onlyLooks(bare),
    list: step?.list,
    index: step?.index ?? 0,
  };
}

const cues = new WeakMap<Section, boolean>();
/** Whether a section or one that contains it asks for work side by side. A section is looked at once. */
function asksForParallel(section: Section): boolean {
  const known = cues.get(section);
  if (known !== undefined) return known;
  const own = parallel.test(section.title) || section.lines.some(({ text }) => parallel.test(text));
  const result = own || (section.parent !== undefined && asksForParallel(section.parent));
  cues.set(section, result);
  return result;
}
