// The signals of a rotation, declared once. The API and its description, the command and its help, and the stored facts
// take them from here. `decisions/refusal.ts` says when one is refused, and `evolve.ts` what it changes.

/** The signals that a person may send. */
export const signals = {
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

export type SignalName = keyof typeof signals;
export const signalNames = Object.keys(signals) as readonly SignalName[];
