// What a `ballast:index:Release` is made of: the shape of its inputs, and which of their changes ask for a new rollout.
// Shapes only: whether weights ascend and limits make sense is for the rollout's own plan to say.

import { succeeded } from "../client/control-plane.ts";
import type { Gate, Limits, OutsideWeights, Pace, RolloutResult } from "../engines/rollout/vocabulary.ts";

/** What a program says of a release. */
export interface ReleaseInputs {
  readonly endpoint: string;
  /** Whom tokens are for. @default "api://ballast" */
  readonly audience: string;
  readonly resourceGroup: string;
  readonly app: string;
  /** The app's latest revision, as Azure named it. */
  readonly revision: string;
  /** The hash of the app's template: a new one is a new release, and nothing else is. */
  readonly release: string;
  readonly pace: Pace;
  readonly limits: Limits;
  /** Other limits that judge beside, without power. */
  readonly shadowLimits?: Limits;
  readonly probePath: string;
  /** Whether an update waits for the rollout's end. @default true */
  readonly wait: boolean;
  /** @default "refuse" */
  readonly whenInFlight: "refuse" | "supersede";
  /** @default "restore" */
  readonly outsideWeights: OutsideWeights;
  /** @default no gate */
  readonly gate?: Gate;
}

/** The same with what came of it. */
export interface ReleaseOutputs extends ReleaseInputs {
  /** How the rollout ended, that it has not yet, or that the control plane was never heard to take it on. */
  readonly result: RolloutResult | "in-flight" | "not-started";
  readonly sentence: string;
}

/** Properties as the engine sends them: of no shape that could be relied on. */
export type Properties = Readonly<Record<string, unknown>>;

/** What stands in a preview for a value that is not known yet; the engine's own word. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** One thing wrong with one property, for the engine to show beside the resource. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

type Shape = ((value: unknown, path: string) => readonly Failure[]) & { readonly mayBeAbsent?: true };

const shape =
  (words: string, fits: (value: unknown) => boolean): Shape =>
  (value, property) =>
    value === unknownValue || fits(value)
      ? []
      : [{ property, reason: `${property} is ${JSON.stringify(value)}, and must be ${words}.` }];
const text = shape("a text that is not empty", (value) => typeof value === "string" && value !== "");
const number = shape("a number", (value) => typeof value === "number" && Number.isFinite(value));
const numbers = shape(
  "a list of numbers",
  (value) => Array.isArray(value) && value.every((one) => typeof one === "number" || one === unknownValue),
);
const flag = shape("true or false", (value) => typeof value === "boolean");
const path = shape("a path that begins with /", (value) => typeof value === "string" && value.startsWith("/"));
const address = shape(
  "an https address without a path",
  (value) => typeof value === "string" && /^(https:\/\/[^/\s]+|http:\/\/127\.0\.0\.1(:\d+)?)\/?$/.test(value),
);
const oneOf = (...words: readonly string[]): Shape =>
  shape(words.map((word) => `"${word}"`).join(" or "), (value) => words.includes(value as string));

const optional = (inner: Shape): Shape =>
  Object.assign((value: unknown, at: string) => inner(value, at), { mayBeAbsent: true as const });

const object =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, at) => {
    if (value === unknownValue) return [];
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return [{ property: at, reason: `${at} must be an object.` }];
    const given = value as Properties;
    const name = (key: string): string => (at ? `${at}.${key}` : key);
    const known = Object.keys(shapes);
    return [
      ...Object.keys(given)
        .filter((key) => !known.includes(key) && given[key] !== undefined)
        .map((key) => ({ property: name(key), reason: `${name(key)} is not known; known are ${known.join(", ")}.` })),
      ...known.flatMap((key) =>
        given[key] === undefined || given[key] === null
          ? shapes[key]!.mayBeAbsent
            ? []
            : [{ property: name(key), reason: `${name(key)} is missing.` }]
          : shapes[key]!(given[key], name(key)),
      ),
    ];
  };

const paceShape: Record<keyof Pace, Shape> = {
  weights: numbers,
  bakeSeconds: number,
  warmUpSeconds: number,
  tickSeconds: number,
  probeSeconds: number,
  smokeSeconds: number,
  maximumSeconds: number,
};
const limitsShape: Record<keyof Limits, Shape> = {
  falseRollbackPercentMax: number,
  falsePromotionPercentMax: number,
  oddsTolerated: number,
  slowdownTolerated: number,
  failurePointsMax: number,
  ceilingPercent: number,
  ceilingRequests: number,
  stableFailurePercentMax: number,
  probeFailuresMax: number,
};
const inputsShape: Record<keyof ReleaseInputs, Shape> = {
  endpoint: address,
  audience: text,
  resourceGroup: text,
  app: text,
  revision: text,
  release: text,
  pace: object(paceShape),
  limits: object(limitsShape),
  shadowLimits: optional(object(limitsShape)),
  probePath: path,
  wait: flag,
  whenInFlight: oneOf("refuse", "supersede"),
  outsideWeights: oneOf("restore", "adopt"),
  gate: optional(object({ beforePercent: number, expiresSeconds: number } satisfies Record<keyof Gate, Shape>)),
};

/** Fills in the defaults and names everything that is unknown, missing or of another shape. Unknown values fit everywhere. */
export function check(given: Properties): { readonly inputs: Properties; readonly failures: readonly Failure[] } {
  const inputs = { audience: "api://ballast", wait: true, whenInFlight: "refuse", outsideWeights: "restore", ...given };
  return { inputs, failures: object(inputsShape)(inputs, "") };
}

/** What is to be done with a resource, and for the sake of which properties. */
export type Change =
  | { readonly kind: "none" }
  | { readonly kind: "update" | "replace"; readonly because: readonly string[] };

/**
 * Says whether the resource must be carried out again.
 *
 * The revision's name is no reason, for the preview of any change to the app does not know it; nor are the ways to reach
 * the control plane, nor pace and limits, which are for the next release. A rollout that did not end well is one, whatever
 * the program says: the same program gets the same sentence again, and a revert to the release before it, which the
 * state would call unchanged, is put to the control plane like any other. What was carried out last is what the outputs
 * tell: after a failed update the inputs are still those of the release before it, even when a retry made it good since.
 */
export function diff(oldInputs: Properties, oldOutputs: Properties, news: Properties): Change {
  const changed = (...keys: readonly (keyof ReleaseInputs)[]): readonly string[] =>
    keys.filter((key) => oldInputs[key] !== news[key]);
  const moved = changed("resourceGroup", "app");
  if (moved.length) return { kind: "replace", because: moved };
  const carriedOut = oldOutputs["release"] ?? oldInputs["release"];
  const because = [
    ...(carriedOut === news["release"] ? [] : ["release"]),
    ...(settled(oldOutputs, news) ? [] : ["result"]),
  ];
  return because.length ? { kind: "update", because } : { kind: "none" };
}

/** Whether nothing more is to come of the last rollout. */
const settled = ({ result }: Properties, { wait }: Properties): boolean =>
  succeeded(result) || (result === "in-flight" && wait === false);
