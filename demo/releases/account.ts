// What the demo counts from the emulator's records: requests by arm, writes of traffic, and which failures a fault
// explains. A fault explains a failed request only if the replica that answered logged that request as injected, or if
// the request went to a canary that hangs or crashes. Being close in time proves nothing.
import type { LoadFailure } from "../../emulator/load.ts";
import type { Asked, LogLine, Row } from "../emulator.ts";
import type { Released } from "./release.ts";

/** The requests of one release by arm, counted from the ingress's rows of the load. */
export interface Counts {
  readonly canaryRequests: number;
  readonly stableRequests: number;
  readonly canaryFailed: number;
  readonly stableFailed: number;
}

const fromLoad = ({ UserAgent }: Row): boolean => UserAgent === "emulator-load";
const isFailed = ({ StatusCode }: Row): boolean => StatusCode === 0 || StatusCode >= 400;

/** Counts a release's requests by arm: those that began during the release. */
export function count(released: Released, rows: readonly Row[]): Counts {
  const during = rows.filter(
    (row) => fromLoad(row) && Date.parse(row.StartTime) >= released.from && Date.parse(row.StartTime) < released.to,
  );
  const [canary, stable] = [
    during.filter((row) => row.RevisionName === released.name.revision),
    during.filter((row) => row.RevisionName !== released.name.revision),
  ];
  return {
    canaryRequests: canary.length,
    stableRequests: stable.length,
    canaryFailed: canary.filter(isFailed).length,
    stableFailed: stable.filter(isFailed).length,
  };
}

/**
 * Returns the traffic that each write of the storefront set, in the order of the writes; equal traffic is equal text.
 *
 * It includes the program's PUTs, the control plane's PATCHes, and refused writes: an attempt to move traffic is bad
 * enough.
 */
export function trafficWrites(asked: readonly Asked[], from: number, to = Infinity): readonly string[] {
  const written = asked.filter(
    ({ at, path }) => path.endsWith("/storefront") && Date.parse(at) >= from && Date.parse(at) <= to,
  );
  return written.flatMap(
    ({ traffic }) =>
      traffic
        ?.flatMap(({ revisionName = "latest", weight = 0 }) => (weight > 0 ? [`${revisionName} ${weight}`] : []))
        .sort()
        .join(", ") ?? [],
  );
}

/** Returns the failures that no fault explains. */
export function outsideFaults(
  failures: readonly LoadFailure[],
  releases: readonly Released[],
  rows: readonly Row[],
  logs: readonly LogLine[],
): readonly LoadFailure[] {
  const injected = new Set(
    logs.flatMap(({ revision, json }) => (json?.injected && json.requestId ? [`${revision} ${json.requestId}`] : [])),
  );
  const revisionOf = new Map(rows.map((row) => [row.RequestId, row.RevisionName]));
  const dead = new Set(
    releases.filter(({ fault }) => fault.kind === "hang" || fault.kind === "crash").map(({ name }) => name.revision),
  );
  return failures.filter(({ id, revision }) => {
    const answeredBy = revision ?? revisionOf.get(id) ?? "";
    return !injected.has(`${answeredBy} ${id}`) && !dead.has(answeredBy);
  });
}
