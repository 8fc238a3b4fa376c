// Evidence + bins → evidence. Each bin is taken once, in order, and all that is used to weigh it was known before it: the
// tails, the noise, what is usual of stable. What a sum of evidence leads to is the judge's business.

import type { Bin, Count, Limits, Tally } from "../vocabulary.ts";
import { bucketsOf, durationsAbove, mergeDurations, tailOf } from "./durations.ts";
import type { AloneName, Evidence, Noise, Strand, StrandName, Table, Usual } from "./evidence.ts";
import { isTelling, logLikelihood, logShareRatio, logSum } from "./likelihood.ts";

/** How a bin is to be looked at: where the rollout was, what it tolerates, which time is left out. */
export interface Watch {
  readonly limits: Limits;
  /** The canary's percentage. */
  readonly percent: number;
  readonly tickSeconds: number;
  readonly warmFrom: number;
  readonly warmUntil: number;
}

/** How one kind of badness is judged. */
interface Kind {
  /** Its part of the evidence against a canary; requests that vanish and what is seen at 100 percent have the rest. */
  readonly weight: number;
  /** The share of stable's requests that are in the tail. */
  readonly tail?: number;
  /** So many requests of stable must be known before the tail is. */
  readonly learntFrom?: number;
  /** A promotion needs evidence that the canary has less than so many points more of it; absent where that would take too many requests. */
  readonly pointsMax?: number;
}

const kinds: { readonly [Name in StrandName]: Kind } = {
  failed: { weight: 0.66 },
  refused: { weight: 0.05, pointsMax: 5 },
  p95: { weight: 0.07, tail: 0.05, learntFrom: 200, pointsMax: 5 },
  p99: { weight: 0.08, tail: 0.01, learntFrom: 1_000 },
  p999: { weight: 0.05, tail: 0.001, learntFrom: 10_000 },
};
export const strandNames = Object.keys(kinds) as readonly StrandName[];
/** Requests that vanish, and bad ones at 100 percent. */
export const lostWeight = 0.05,
  aloneWeight = 0.04;

/** How much worse than tolerated a canary may be, in odds, and how likely each is held to be before anything is seen: a fault is mostly a doubling or a tripling. */
export const alternatives: readonly (readonly [times: number, prior: number])[] = [
  [1.33, 0.07],
  [1.83, 0.25],
  [2.6, 0.35],
  [4.2, 0.18],
  [8.3, 0.1],
  [25, 0.05],
];
/** Odds that speak in the canary's favour. */
const favourable = [1, 0.8] as const;
/** Shares of bad requests that speak in its favour, as parts of the share that may not be reached. */
const favourableShares = [0.4, 0.05] as const;
/** What is looked at at 100 percent. */
export const aloneNames: readonly AloneName[] = ["failed", "p95"];
/** How much more than what is tolerated at 100 percent it may fail there. */
export const aloneAlternatives = [1.5, 3, 10] as const;

const none: Count = { requests: 0, failed: 0 };
const emptyTable: Table = { canary: 0, canaryBad: 0, stable: 0, stableBad: 0 };
const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);
const emptyStrand: Strand = {
  whole: zeros(alternatives.length),
  step: zeros(alternatives.length),
  settled: 0,
  favour: zeros(favourable.length + favourableShares.length),
  wholeTable: emptyTable,
  stepTable: emptyTable,
};
const each = <Value>(of: (name: StrandName) => Value): { readonly [Name in StrandName]: Value } => ({
  failed: of("failed"),
  refused: of("refused"),
  p95: of("p95"),
  p99: of("p99"),
  p999: of("p999"),
});
const sheet = {
  canary: none,
  stable: none,
  coldCanary: none,
  coldStable: none,
  sickCanary: none,
  sickStable: none,
  sick: undefined,
};

/** Nothing is known yet. */
export const noEvidence: Evidence = {
  usual: {
    ...none,
    refused: 0,
    tails: {},
    noise: each(() => ({ pairs: 0, sum: 0, requests: 0, binPairs: 0, binSum: 0 })),
    last: {},
    before: {},
    block: {},
    blockBins: 0,
    incidents: 0,
  },
  strands: each(() => emptyStrand),
  untempered: emptyStrand.whole,
  begun: 0,
  alone: { failed: zeros(aloneAlternatives.length), p95: zeros(aloneAlternatives.length) },
  ...sheet,
};

/**
 * Begins a step, counted from 0: a clean sheet for what must be shown in it, and evidence that looks for a fault which begins with it.
 *
 * A canary that was good for an hour has gathered much in its favour, and a fault that shows only at a higher weight would have to
 * outweigh all of it; the evidence that begins here need not. A step that is entered again, after weights were put right, is no new one.
 */
export function beginStep(evidence: Evidence, step: number, steps: number): Evidence {
  const fresh = (strand: Strand): Strand => ({ ...strand, favour: emptyStrand.favour });
  if (step < evidence.begun) return { ...evidence, ...sheet, strands: each((name) => fresh(evidence.strands[name])) };
  const skipped = Math.max(0, Math.min(step, steps) - Math.max(1, evidence.begun));
  const ended = (strand: Strand): number =>
    round(
      strand.settled + laterWeight(steps) * (skipped + (isLater(evidence, steps) ? Math.exp(mixed(strand.step)) : 0)),
    );
  return {
    ...evidence,
    ...sheet,
    begun: step + 1,
    strands: each((name) => ({
      ...fresh(evidence.strands[name]),
      step: emptyStrand.step,
      stepTable: emptyTable,
      settled: ended(evidence.strands[name]),
    })),
  };
}

/** What a strand has come to, as a logarithm: faults from the beginning, faults from each later step on; steps that are still to come count as 1. */
export function strandEvidence(strand: Strand, evidence: Evidence, steps: number): number {
  const toCome = Math.max(0, steps - Math.max(1, evidence.begun));
  return logSum([
    Math.log(wholeWeight(steps)) + mixed(strand.whole),
    ...(isLater(evidence, steps) ? [Math.log(laterWeight(steps)) + mixed(strand.step)] : []),
    Math.log(strand.settled + laterWeight(steps) * toCome),
  ]);
}

/** Whether the present step is one that has evidence of its own: after the first, and not the one at 100 percent. */
const isLater = ({ begun }: Evidence, steps: number): boolean => begun >= 2 && begun <= steps;

/** The part of a strand that looks for faults from the beginning, and of each later step's look for new ones. */
const wholeWeight = (steps: number): number => (steps < 2 ? 1 : 0.85);
const laterWeight = (steps: number): number => (steps < 2 ? 0 : 0.15 / (steps - 1));

/** The part of the evidence against a canary that a strand has. */
export const weightOf = (name: StrandName): number => kinds[name].weight;

/** The kinds of badness that a canary must be shown not to have more of. */
export const promising: readonly StrandName[] = strandNames.filter(
  (name) => name === "failed" || kinds[name].pointsMax !== undefined,
);

/** Weighs the alternatives together: the logarithm of their mean. */
export function mixed(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log, index) => sum + alternatives[index]![1] * Math.exp(log - most), 0));
}

/** Adds bins, oldest first. They must be complete, and each be given once. */
export function gather(evidence: Evidence, bins: readonly Bin[], watch: Watch): Evidence {
  const first = bins.findIndex(({ canary }) => canary.requests > 0);
  const history = first === -1 ? bins.length : first;
  // Bins before the canary had any request are known as a whole before the first one is weighed.
  let usual = bins
    .slice(0, history)
    .reduce(
      (known, { stable }) => (isSick(stable, known, watch.limits) ? known : learn(known, stable)),
      evidence.usual,
    );
  usual = findTails(usual);
  let next = evidence;
  for (const [index, bin] of bins.entries()) {
    const sick = isSick(bin.stable, usual, watch.limits);
    const wasSick = next.sick !== undefined;
    next = sick ? addSick(next, bin, usual, watch) : { ...next, sick: undefined };
    if (!wasSick || usual.incidents > incidentsMax) next = add(next, usual, bin, watch);
    const isOut = sick && bin.stable.failed > ceilingOf(usual, watch.limits) * bin.stable.requests;
    if (isOut && !wasSick) usual = { ...usual, incidents: usual.incidents + 1 };
    usual =
      isOut && usual.incidents <= incidentsMax
        ? { ...usual, last: {}, before: {}, block: {}, blockBins: 0 }
        : listen(usual, bin.stable);
    if (!sick && index >= history) usual = findTails(learn(usual, bin.stable));
  }
  return { ...next, usual };
}

/**
 * Says whether stable fails so much in a bin that it cannot serve as a measure: far outside of what is usual and of what chance does.
 *
 * Such a bin holds the rollout and shows nothing in the canary's favour. It is the bins after it that are left out: to leave out the bin itself, because
 * of what it shows, would count the storms that hit the canary and not those that hit stable. Where stable falls sick again and again, nothing is left out.
 */
function isSick(stable: Tally, usual: Usual, limits: Limits): boolean {
  const share = shareOf(usual);
  const expected = stable.requests * share;
  const ceiling = ceilingOf(usual, limits);
  const most = usual.requests < knownFrom ? ceiling : Math.min(ceiling, Math.max(3 * share, share + 0.02));
  return (
    stable.failed >= 3 && stable.failed > most * stable.requests && stable.failed > expected + 4 * Math.sqrt(expected)
  );
}

/** The share of failures beyond which stable is sick whatever is usual, unless it usually fails about as much. */
const ceilingOf = (usual: Usual, limits: Limits): number =>
  Math.max(limits.stableFailurePercentMax / 100, 1.5 * shareOf(usual));

/** From so many requests on it is known what stable usually fails. */
const knownFrom = 500;

const shareOf = ({ requests, failed }: Count): number => (requests === 0 ? 0 : failed / requests);

function addSick(evidence: Evidence, bin: Bin, usual: Usual, { limits }: Watch): Evidence {
  const shared = isSick(bin.canary, usual, limits);
  return {
    ...evidence,
    sickCanary: plus(evidence.sickCanary, bin.canary),
    sickStable: plus(evidence.sickStable, bin.stable),
    sick: shared ? "shared-outage" : "stable-sick",
  };
}

function add(evidence: Evidence, usual: Usual, bin: Bin, watch: Watch): Evidence {
  const isCold = bin.at + watch.tickSeconds * 1000 > watch.warmFrom && bin.at < watch.warmUntil;
  const isOfStep = bin.at >= watch.warmUntil;
  const isSound = isOfStep && evidence.sick === undefined;
  if (isCold)
    return {
      ...evidence,
      coldCanary: plus(evidence.coldCanary, bin.canary),
      coldStable: plus(evidence.coldStable, bin.stable),
    };
  const { oddsTolerated, slowdownTolerated } = watch.limits;
  const tables = each((name) => tableOf(bin, name, usual, slowdownTolerated));
  const against = each((name) =>
    ratios(
      tables[name],
      alternatives.map(([times]) => oddsTolerated * times),
      oddsTolerated,
    ),
  );
  const strand = (name: StrandName): Strand => {
    const table = tables[name];
    if (table === undefined) return evidence.strands[name];
    return weigh(evidence.strands[name], table, against[name], {
      ...temper(usual.noise[name], table),
      ...refusalOf(name, usual, watch.limits),
      isTail: kinds[name].tail !== undefined,
      isOfStep,
      isFavour: isSound && promising.includes(name),
    });
  };
  const next =
    bin.canary.requests === 0
      ? evidence
      : { ...evidence, strands: each(strand), untempered: sum(evidence.untempered, against.failed) };
  if (!isSound) return next;
  return {
    ...next,
    canary: plus(evidence.canary, bin.canary),
    stable: plus(evidence.stable, bin.stable),
    alone: watch.percent < 100 ? evidence.alone : weighAlone(evidence.alone, bin.canary, usual, watch.limits),
  };
}

/** What a bin says of one kind of badness; undefined where the rows, or what is known of stable, do not tell. */
function tableOf(
  { canary, stable }: Bin,
  name: StrandName,
  usual: Usual,
  slowdownTolerated: number,
): Table | undefined {
  const canaryBad = badOf(canary, name, usual, slowdownTolerated);
  const stableBad = badOf(stable, name, usual);
  return canaryBad === undefined || stableBad === undefined
    ? undefined
    : { canary: canary.requests, canaryBad, stable: stable.requests, stableBad };
}

interface Weighing extends Tempering {
  /** Odds that must be excluded before a promotion. */
  readonly refused: number;
  /** A canary that is shown to have less than this share of bad requests needs no comparison. */
  readonly shareMax: number;
  /** Whether it is about a tail. How long requests take always comes in bursts on a busy machine; what speaks for a canary is weakened for that and not cut off, or nothing ever would. */
  readonly isTail: boolean;
  readonly isOfStep: boolean;
  /** Whether it may speak in the canary's favour. */
  readonly isFavour: boolean;
}

/** Adds a bin to a strand. A power below one of a likelihood ratio, or one that is cut off, has at most its mean, so what is tempered is evidence still. */
function weigh(
  strand: Strand,
  table: Table,
  against: readonly number[],
  { power, most, refused, shareMax, isTail, isOfStep, isFavour }: Weighing,
): Strand {
  const tempered = against.map((log) => Math.min(most, power * log));
  const inFavour = (): readonly number[] =>
    [
      ...ratios(table, favourable, refused),
      ...favourableShares.map((part) => logShareRatio(table.canary, table.canaryBad, part * shareMax, shareMax)),
    ].map((log) => Math.min(isTail ? Infinity : most, power * log));
  return {
    ...strand,
    whole: sum(strand.whole, tempered),
    wholeTable: plusTable(strand.wholeTable, table),
    ...(isOfStep ? { step: sum(strand.step, tempered), stepTable: plusTable(strand.stepTable, table) } : {}),
    ...(isFavour ? { favour: sum(strand.favour, inFavour()) } : {}),
  };
}

const sum = (logs: readonly number[], more: readonly number[]): readonly number[] =>
  logs.map((log, index) => round(log + more[index]!));

/** Gives the logarithms of how much likelier a bin is at each of some odds than at others; as likely where it tells nothing. */
export function ratios(table: Table | undefined, odds: readonly number[], than: number): readonly number[] {
  if (table === undefined || !isTelling(table)) return zeros(odds.length);
  const base = logLikelihood(table, than);
  return odds.map((each) => logLikelihood(table, each) - base);
}

/** Puts the points that a canary may not have more than stable into odds, at stable's usual share, and into a share of its own. */
function refusalOf(
  name: StrandName,
  usual: Usual,
  { failurePointsMax, oddsTolerated }: Limits,
): { readonly refused: number; readonly shareMax: number } {
  const { tail, pointsMax = failurePointsMax } = kinds[name];
  const more = pointsMax / 100;
  const known = Math.min(
    0.5,
    tail ?? (name === "failed" ? shareOf(usual) : usual.refused / Math.max(1, usual.requests)),
  );
  const odds = known === 0 ? Infinity : (known + more) / (1 - known - more) / (known / (1 - known));
  return { refused: Math.min(1_000, Math.max(odds, oddsTolerated + 0.1)), shareMax: (tail ?? 0) + more };
}

/** At 100 percent a request is slow when it takes so many times what it takes to be in stable's tail, and so many may be. */
export const aloneSlowdown = 3,
  aloneSlowMost = 0.3;

/**
 * At 100 percent nobody else is asked in the same minutes, so what is usual must do: three times stable's usual failures, and slowness that no busy hour
 * explains.
 */
function weighAlone(alone: Evidence["alone"], canary: Tally, usual: Usual, limits: Limits): Evidence["alone"] {
  const weighed = (name: AloneName, most: number): readonly number[] => {
    const bad = badOf(canary, name, usual, aloneSlowdown);
    return bad === undefined
      ? alone[name]
      : alone[name].map((log, index) =>
          round(log + logShareRatio(canary.requests, bad, Math.min(0.9, most * aloneAlternatives[index]!), most)),
        );
  };
  return {
    failed: weighed("failed", Math.min(0.3, Math.max(limits.failurePointsMax / 100, 3 * shareOf(usual)))),
    p95: weighed("p95", aloneSlowMost),
  };
}

/** How a bin's evidence is weakened where bad requests come in bursts. */
interface Tempering {
  /** The power that its likelihood ratios are raised to, 1 without bursts. */
  readonly power: number;
  /** The most that it may bring, as a logarithm. */
  readonly most: number;
}

/** From this dispersion on bad requests come in bursts, and no burst brings more than a part of what a verdict takes. */
const burstyFrom = 2;
const burstMost = 0.8;
/** Blocks that differ so much more than their bins do tell of bursts that last. */
const lastingFrom = 2;

/**
 * Says how far a bin is to be believed: how much more the difference of two shares varies than chance alone would make it, by what
 * neighbouring blocks of stable's bins did. What chance itself does to that figure is taken off.
 */
export function temper({ pairs, sum, requests, binPairs, binSum }: Noise, { canary, stable }: Table): Tempering {
  if (pairs === 0 || canary === 0 || stable === 0) return { power: 1, most: Infinity };
  const dispersion = Math.max(1, sum / pairs - Math.sqrt(2 / pairs));
  const together = (dispersion - 1) / Math.max(1, requests / pairs - 1);
  const apart = (count: number): number => (1 + Math.max(0, blockBins * count - 1) * together) / count;
  const spread = apart(canary) + apart(stable);
  const isLasting = binPairs > 0 && sum / pairs > lastingFrom * (binSum / binPairs);
  return {
    power: 1 / Math.max(1, spread / (1 / canary + 1 / stable)),
    most: dispersion < burstyFrom ? Infinity : isLasting ? burstMost / 2 : burstMost,
  };
}

/** Counts the requests of an arm that were bad in a strand's sense, its durations taken for so many times shorter. */
function badOf(tally: Tally, name: StrandName, { tails }: Usual, slowdown = 1): number | undefined {
  if (name === "failed") return tally.failed;
  if (name === "refused") return tally.refused;
  const tail = tails[name];
  if (tail === undefined) return undefined;
  if (tally.durations !== undefined) return durationsAbove(tally.durations, tail + bucketsOf(slowdown));
  return tally.requests === 0 ? 0 : undefined;
}

const areKnown = (tails: Usual["tails"]): boolean =>
  strandNames.every((name) => kinds[name].tail === undefined || tails[name] !== undefined);

/** Adds stable's bin to what is usual. */
const learn = (usual: Usual, stable: Tally): Usual => ({
  ...usual,
  ...plus(usual, stable),
  refused: usual.refused + (stable.refused ?? 0),
  ...(stable.durations === undefined || areKnown(usual.tails)
    ? {}
    : { durations: mergeDurations(usual.durations, stable.durations) }),
});

/** Draws the line of each tail as soon as enough requests are known; it stays for the whole rollout, since a line that moves with the bins would not be known before them. */
function findTails(usual: Usual): Usual {
  const { durations } = usual;
  if (durations === undefined) return usual;
  const total = durations.counts.reduce((sum, count) => sum + count, 0);
  const found = strandNames.filter(
    (name) => kinds[name].tail !== undefined && usual.tails[name] === undefined && total >= kinds[name].learntFrom!,
  );
  if (found.length === 0) return usual;
  const tails = {
    ...usual.tails,
    ...Object.fromEntries(found.map((name) => [name, tailOf(durations, kinds[name].tail!)])),
  };
  const { durations: _known, ...rest } = usual;
  return { ...rest, tails, ...(areKnown(tails) ? {} : { durations }) };
}

/** An outage or two are incidents; from the third one on they are how stable usually is. */
const incidentsMax = 2;
/** So many bins are one block: bad minutes often come two or three in a row, which neighbouring minutes would not show. */
export const blockBins = 3;

/** Compares each block of stable's bins with the one before it: a slow change of what is usual does not count, bursts do. */
function listen(usual: Usual, stable: Tally): Usual {
  if (stable.requests === 0) return usual;
  const noise = { ...usual.noise };
  const last = { ...usual.last };
  const before = { ...usual.before };
  const block = { ...usual.block };
  const bins = usual.blockBins + 1;
  const isFull = bins === blockBins;
  for (const name of strandNames) {
    const bad = badOf(stable, name, usual);
    if (bad === undefined) continue;
    const alike = difference(last[name], [stable.requests, bad]);
    last[name] = [stable.requests, bad];
    if (alike !== undefined)
      noise[name] = {
        ...noise[name],
        binPairs: noise[name].binPairs + 1,
        binSum: round(noise[name].binSum + alike.squared),
      };
    const [requests, sum] = block[name] ?? [0, 0];
    const now = [requests + stable.requests, sum + bad] as const;
    block[name] = now;
    if (!isFull) continue;
    const apart = difference(before[name], now);
    before[name] = now;
    if (apart !== undefined)
      noise[name] = {
        ...noise[name],
        pairs: noise[name].pairs + 1,
        sum: round(noise[name].sum + apart.squared),
        requests: round(noise[name].requests + apart.requests),
      };
  }
  return { ...usual, noise, last, before, block: isFull ? {} : block, blockBins: isFull ? 0 : bins };
}

/** How far two stretches of stable differ in their share of bad requests: the square in units of chance, and the requests of one that tell as much as both. */
function difference(
  before: readonly [number, number] | undefined,
  [requests, bad]: readonly [number, number],
): { readonly squared: number; readonly requests: number } | undefined {
  if (before === undefined || before[1] + bad === 0 || before[1] + bad === before[0] + requests) return undefined;
  const share = (before[1] + bad) / (before[0] + requests);
  const by = 1 / before[0] + 1 / requests;
  return { squared: (before[1] / before[0] - bad / requests) ** 2 / (share * (1 - share) * by), requests: 2 / by };
}

export const plus = (a: Count, b: Count): Count => ({ requests: a.requests + b.requests, failed: a.failed + b.failed });
const plusTable = (a: Table, b: Table): Table => ({
  canary: a.canary + b.canary,
  canaryBad: a.canaryBad + b.canaryBad,
  stable: a.stable + b.stable,
  stableBad: a.stableBad + b.stableBad,
});

/** Keeps the state short; a millionth of a logarithm changes no verdict that a person would tell from another. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6;
