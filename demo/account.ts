// What the demo counts from what the stand-in saw: requests by arm, writes of traffic, and whose failure it was. Each failed
// request of the load is laid to a fault only where the replica that answered logged that very request as injected, or where it
// was sent to a canary that was made to hang or to crash. Time windows prove nothing.
import type { LoadFailure } from "../emulator/load.ts";
import type { Asked, LogLine, Row } from "./emulator.ts";
import type { Released } from "./release.ts";

/** What one release did to users, counted from the ingress's own rows of the load's requests. */
export interface Counts {
  readonly canaryRequests: number;
  readonly stableRequests: number;
  readonly canaryFailed: number;
  readonly stableFailed: number;
}

const fromLoad = ({ UserAgent }: Row): boolean => UserAgent === "localcloud-load";
const isFailed = ({ StatusCode }: Row): boolean => StatusCode === 0 || StatusCode >= 400;

/** Counts a release's requests by arm: those that began while it was under way. */
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
 * Gives what each request said about who gets the storefront's traffic, in the order in which they were sent; equal traffic is equal text.
 *
 * It counts the program's PUTs and the control plane's PATCHes alike, and refused ones too: to ask for another traffic is bad enough.
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

/** Gives the failures that no fault explains. */
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
