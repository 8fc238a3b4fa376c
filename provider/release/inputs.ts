// The inputs of a `ballast:index:Release`: their shape, and which of their changes require a new rollout. Only shapes
// are checked here; the control plane checks whether the plan makes sense, for example whether the weights ascend.

import { succeeded } from "../../client/rollouts.ts";
import type {
  EndReason,
  Gate,
  OutsideWeights,
  RolloutResult,
  Strategy,
  Thresholds,
  WaitReason,
} from "../../engines/rollout/vocabulary.ts";
import { type Change, type Failure, type Properties, unknownValue } from "../resource-type.ts";

/** The inputs of a release in a program. */
export interface ReleaseInputs {
  readonly endpoint: string;
  /** The audience of tokens. @default "api://ballast" */
  readonly audience: string;
  readonly resourceGroup: string;
  readonly app: string;
  /** The app's latest revision, as Azure named it. */
  readonly revision: string;
  /** The hash of the app's template. A new hash is a new release; nothing else is. */
  readonly release: string;
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  /** Thresholds that are judged for comparison only, without effect. */
  readonly dryRunThresholds?: Thresholds;
  readonly probePath: string;
  /** Whether an update waits until the rollout has ended. @default true */
  readonly wait: boolean;
  /** @default "refuse" */
  readonly whenInFlight: "refuse" | "supersede";
  /** @default "restore" */
  readonly outsideWeights: OutsideWeights;
  /** @default no gate */
  readonly gate?: Gate;
}

/** The inputs with the result. */
export interface ReleaseOutputs extends ReleaseInputs {
  /** The result; `in-flight` before the end; `not-started` if the control plane did not confirm the start. */
  readonly result: RolloutResult | "in-flight" | "not-started";
  /** Why, as a code: a reason to end or to wait; empty while the rollout goes on. */
  readonly reason: EndReason | WaitReason | "";
  readonly message: string;
}

type Shape = ((value: unknown, path: string) => readonly Failure[]) & { readonly mayBeAbsent?: true };

const shape =
  (description: string, fits: (value: unknown) => boolean): Shape =>
  (value, property) =>
    value === unknownValue || fits(value)
      ? []
      : [{ property, reason: `${property} is ${JSON.stringify(value)}, but must be ${description}.` }];
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
        .map((key) => ({ property: name(key), reason: `${name(key)} is unknown; known are ${known.join(", ")}.` })),
      ...known.flatMap((key) => {
        const inner = shapes[key]!;
        if (given[key] !== undefined && given[key] !== null) return inner(given[key], name(key));
        return inner.mayBeAbsent ? [] : [{ property: name(key), reason: `${name(key)} is missing.` }];
      }),
    ];
  };

const strategyShape: Record<keyof Strategy, Shape> = {
  weights: numbers,
  bakeSeconds: number,
  warmUpSeconds: number,
  intervalSeconds: number,
  probeSeconds: number,
  smokeSeconds: number,
  maximumSeconds: number,
};
const thresholdsShape: Record<keyof Thresholds, Shape> = {
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
  strategy: object(strategyShape),
  thresholds: object(thresholdsShape),
  dryRunThresholds: optional(object(thresholdsShape)),
  probePath: path,
  wait: flag,
  whenInFlight: oneOf("refuse", "supersede"),
  outsideWeights: oneOf("restore", "adopt"),
  gate: optional(object({ beforePercent: number, expiresSeconds: number } satisfies Record<keyof Gate, Shape>)),
};

/**
 * Fills in the defaults and lists every property that is unknown, missing or of another shape. A
 * placeholder fits anywhere.
 */
export function check(given: Properties): { readonly inputs: Properties; readonly failures: readonly Failure[] } {
  const inputs = { audience: "api://ballast", wait: true, whenInFlight: "refuse", outsideWeights: "restore", ...given };
  return { inputs, failures: object(inputsShape)(inputs, "") };
}

/**
 * Reports whether the resource needs an update or a replacement.
 *
 * These are no reason: the revision's name, which no preview of a change to the app knows; how to reach the control
 * plane; strategy and thresholds, which apply to the next release. A rollout that did not end well is always a reason:
 * the same program then gets the same message again, and a revert to the previous release, which the state would call
 * unchanged, is released like any other. The last release is read from the outputs: after a failed update the old
 * inputs are still those of the release before, even if a retry succeeded since.
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

/** Reports whether the last rollout needs no further update. */
const settled = ({ result }: Properties, { wait }: Properties): boolean =>
  succeeded(result) || (result === "in-flight" && wait === false);
