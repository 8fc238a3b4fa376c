// The signals of a rollout, declared once. The API and its description, the command and its help, and the stored facts
// take them from here. `decisions/fact-of.ts` says when one is refused, and `evolve.ts` what it changes.

/** What a person sends a signal for, and a reason that a person might give. */
interface PersonalSignalWords {
  readonly description: string;
  readonly exampleMessage: string;
  /** What its sender did, for messages such as `paused by ann`. */
  readonly sent: string;
}

/** The signals that a person may send. */
export const personalSignals = {
  pause: {
    description: "pause a rollout; stable and canary keep their traffic",
    exampleMessage: "looking at a strange log line",
    sent: "paused",
  },
  resume: { description: "resume a paused rollout", exampleMessage: "the log line was harmless", sent: "resumed" },
  approve: {
    description: "approve a rollout that waits at its gate, so that the canary may get more traffic",
    exampleMessage: "error budget and dashboards look right",
    sent: "approved",
  },
  promote: {
    description: "give the canary all traffic without waiting for more evidence",
    exampleMessage: "the fix is urgent and looks good",
    sent: "promotion requested",
  },
  abort: {
    description: "give all traffic back to stable and deactivate the canary",
    exampleMessage: "customers report empty carts",
    sent: "abort requested",
  },
  retry: {
    description: "retry a rollout that was rolled back, rejected or degraded, in the same journal",
    exampleMessage: "the database was down, not the release",
    sent: "retry requested",
  },
} as const satisfies Readonly<Record<string, PersonalSignalWords>>;

export type PersonalSignal = keyof typeof personalSignals;

/**
 * `supersede` and `compare` come only from the next release of the same app. The first aborts, and a superseded release
 * is never tried again. The second asks whether the next release takes this one back (contenders.ts).
 */
export type SignalName = PersonalSignal | "supersede" | "compare";

/** The names of the signals that a person may send, and of all. */
export const personalSignalNames = Object.keys(personalSignals) as readonly PersonalSignal[];
export const signalNames: readonly SignalName[] = [...personalSignalNames, "supersede", "compare"];

/** The signals that only allow what another person has asked for. They need a right of their own. */
export const approvals: readonly PersonalSignal[] = ["approve"];
