// The signals of a rotation, declared once. The API and its description, the command and its help, and the stored facts
// take them from here. `decisions/refusal.ts` says when one is refused, and `evolve.ts` what it changes.

/** The signals that a person may send. */
export const personalSignals = {
  pause: {
    description: "pause a rotation; both versions stay as valid as they are",
    exampleMessage: "the database is being upgraded",
    sent: "paused",
  },
  resume: { description: "resume a paused rotation", exampleMessage: "the upgrade is over", sent: "resumed" },
  retry: {
    description: "continue a rotation that was rejected, stopped or degraded, in the same journal",
    exampleMessage: "the app was at fault, not the credential",
    sent: "retry requested",
  },
  back: {
    description: "return every consumer and the published secret to the old version",
    exampleMessage: "the new role is slower",
    sent: "return requested",
  },
} as const satisfies Readonly<
  Record<string, { readonly description: string; readonly exampleMessage: string; readonly sent: string }>
>;

export type PersonalSignal = keyof typeof personalSignals;

/**
 * `open` comes only from a release whose revision logs in with the old role. It puts the role's login back, and keeps
 * the role until that release has ended.
 */
export type SignalName = PersonalSignal | "open";

/** The names of the signals that a person may send, and of all. */
export const personalSignalNames = Object.keys(personalSignals) as readonly PersonalSignal[];
export const signalNames: readonly SignalName[] = [...personalSignalNames, "open"];
