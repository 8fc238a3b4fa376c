// An attempt → what it did to users: the requests that the canary answered, those that failed, and how many of these
// would have failed at stable too. It counts every measured request of the canary, also those that the judge ignores,
// and says which time was not measured.
import { duration } from "../../engines/time.ts";
import type { Markup } from "../markup.ts";
import { html } from "../markup.ts";
import type { Attempt } from "./attempts.ts";

/** Describes what users met, as the first thing that a reader of the page wants to know. */
export function harmOf({ users, unmeasuredSeconds }: Attempt): Markup {
  const { canary, stable } = users;
  if (canary.requests === 0) return html`<p class="harm"><b>Users:</b> none of their requests reached the canary.</p>`;
  const stableShare = stable.requests === 0 ? undefined : stable.failed / stable.requests;
  const extra = stableShare === undefined ? undefined : Math.round(canary.failed - canary.requests * stableShare);
  const failures =
    canary.failed === 0
      ? "none of them failed"
      : `${number(canary.failed)} of them failed${extra === undefined ? "" : `, ${describeExtra(extra)}`}`;
  return html`<p class="harm"><b>Users:</b> the canary answered ${number(canary.requests)}
${canary.requests === 1 ? "request" : "requests"}; ${failures}. Warm-ups are included.
${unmeasured(unmeasuredSeconds)}</p>`;
}

/** Says what the counts lack: the verdict does not wait until the last requests are measured. */
const unmeasured = (seconds: number): string =>
  seconds === 0 ? "" : `Requests in its last ${duration(seconds)} with traffic were not measured and are missing here.`;

const describeExtra = (extra: number): string =>
  extra > 0 ? `about ${number(extra)} more than stable would have failed` : "no more than stable would have failed";

const number = (value: number): string => value.toLocaleString("en");
