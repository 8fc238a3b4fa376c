// The signals of a remediation, declared once.

/** The signals that a person may send. */
export const personalSignals = {
  approve: {
    description: "approve an action that waits for it; everything is checked again before it runs",
    exampleMessage: "I looked at the dashboards and agree",
    sent: "approved",
  },
  reject: {
    description: "reject an action that waits for approval, and call a person",
    exampleMessage: "this is a known batch job",
    sent: "rejected",
  },
  pause: {
    description: "pause a remediation; what has begun is still verified, and the pause ends by itself",
    exampleMessage: "looking at it by hand",
    sent: "paused",
  },
  resume: {
    description: "resume a paused remediation",
    exampleMessage: "done looking",
    sent: "resumed",
  },
  stop: {
    description: "stop a remediation before its next action; what was done stays",
    exampleMessage: "we repair it by hand",
    sent: "stopped",
  },
} as const;

export type PersonalSignal = keyof typeof personalSignals;

/** `look` comes from a delivery: it says that the alert may have changed, and nothing else. */
export type SignalName = PersonalSignal | "look";

export const personalSignalNames = Object.keys(personalSignals) as readonly PersonalSignal[];
export const signalNames: readonly SignalName[] = [...personalSignalNames, "look"];

/** The signals that only allow what another has asked for. They need a right of their own. */
export const approvals: readonly PersonalSignal[] = ["approve"];
