// What becomes of a release whose revision logs in with the old role while a rotation retires that role: one that is
// tried again, or to which a remediation returns. The role gets its login back first, and stays open for as long as the
// release is in flight. A leaked version is never restored.
import { isFirst, isLeaked, roleOf } from "./progress.ts";
import type { Phase, RotationState } from "./vocabulary.ts";

/** Gives the reason why the old role cannot get its login back now; undefined if it can. */
export function whyNotOpened(state: RotationState): string | undefined {
  const role = roleOf(state, state.live);
  if (isLeaked(state)) return `others know the old version, so ${role} stays as it is until its slot is renewed`;
  if (isFirst(state)) return "a new credential has no old role";
  return state.renewing ? `the slot of ${role} is being renewed` : undefined;
}

/** Notes a release that needs the old role. A closed one is opened, and its readers are watched anew. */
export function needed(before: RotationState, release: string): RotationState {
  const neededBy = [...before.neededBy.filter((one) => one !== release), release].filter((one) => one !== "");
  const state = { ...before, neededBy, waiting: undefined };
  switch (before.phase) {
    case "quieting":
    case "draining":
      return { ...state, phase: "quieting", readersFrom: before.now };
    case "gracing":
      return { ...state, phase: "opening" };
    // The write that closes the role is heard first.
    case "closing":
      return { ...state, opensNext: true };
    default:
      return { ...before, neededBy };
  }
}

/** Whether a revision that logs in with the old role may start. */
export interface Admission {
  readonly standing: "open" | "soon" | "never";
  /** Whether the rotation must be asked to open the role, or to keep it open. */
  readonly asks: boolean;
  readonly message: string;
}

const changing: readonly Phase[] = ["closing", "opening"];

/** Says whether a release may log in with the old role, and whether the rotation must be asked first. */
export function admissionOf(state: RotationState, release: string): Admission {
  const { phase, ending, neededBy, login, opensNext } = state;
  const role = roleOf(state, state.live);
  const answer = (standing: Admission["standing"], message: string, asks = false): Admission => ({
    standing,
    asks,
    message,
  });
  if (phase === "finished")
    return ending?.result === "degraded"
      ? answer("never", `${role} may be unable to log in; ${ending.message}`)
      : answer("open", `${role} may log in`);
  if (state.old.version === "") return answer("open", `${role} may log in`);
  // Its next step is another release of the same apps, which would wait for this one.
  if (isLeaked(state) && state.published === state.live)
    return answer("never", `others know the version by which ${role} logs in; release again once it is replaced`);
  const refused = whyNotOpened(state);
  if (refused !== undefined) return answer("soon", refused);
  const isAsked = neededBy.includes(release) && phase !== "gracing" && (phase !== "closing" || opensNext);
  if (!isAsked) return answer("soon", `${role} is asked to get its login back`, true);
  return login && !changing.includes(phase)
    ? answer("open", `${role} may log in`)
    : answer("soon", `${role} gets its login back`);
}
