// A credential as it stands → what a rotation would do now, step by step, and what each step would wait for. It is what
// `rotate --dry-run` prints; nothing is decided by it.
import { duration } from "../time.ts";
import { type Credential, otherSlot, type Slot, slotSecret } from "./declaration.ts";
import type { causes } from "./intent.ts";
import { traitsOf } from "./systems.ts";
import type { CredentialView } from "./views.ts";

/** One step of a rotation. */
export interface PlannedStep {
  readonly step: string;
  /** What the step waits for before the next one begins. */
  readonly waitsFor: string;
}

/** Lists the steps of a rotation of a published credential; none if nothing is published. */
export function planRotation(
  { declaration, published }: Pick<CredentialView, "declaration" | "published">,
  cause: keyof typeof causes = "requested",
): readonly PlannedStep[] {
  if (published === null) return [];
  const live = published.slot;
  const idle = otherSlot(live);
  const { roles, credential } = declaration;
  return [
    { step: `make a version of ${slotSecret(credential, idle)}, which nobody reads`, waitsFor: "nothing" },
    { step: `give ${roles[idle]} its password`, waitsFor: "nothing" },
    {
      step: `log in as ${roles[idle]}`,
      waitsFor: `a login, every right of ${roles[live]}${checksIn(declaration)}`,
    },
    ...declaration.consumers.map(({ app, strategy, probePath }) => ({
      step: `cut ${app} over to ${slotSecret(credential, idle)} as a canary`,
      waitsFor:
        `other rollouts of ${app}, up to ${duration(declaration.timings.busySeconds)}; then ${probePath} on the new ` +
        `revision and the judge at ${[...strategy.weights, 100].join(", ")} %, ${duration(strategy.bakeSeconds)} each`,
    })),
    { step: `publish it as ${credential}, for readers that name no slot`, waitsFor: "nothing" },
    ...(cause === "leaked" ? endAtOnce(declaration, live) : endQuietly(declaration, live)),
    {
      step: `give ${roles[live]} a new password, and move ${slotSecret(credential, live)} of each app to it`,
      waitsFor: "a login",
    },
  ];
}

const checksIn = ({ checks }: Credential): string =>
  checks.length === 0 ? "" : ` and ${checks.length} declared ${checks.length === 1 ? "query" : "queries"}`;

function endQuietly(credential: Credential, live: Slot): readonly PlannedStep[] {
  const { roles, timings } = credential;
  const role = roles[live];
  return [
    {
      step: `watch the logins with ${role}`,
      waitsFor: `${duration(timings.quietSeconds)} without one, up to ${duration(timings.readersSeconds)}`,
    },
    {
      step: `end the sessions of ${role}`,
      waitsFor: `the sessions to end by themselves, up to ${duration(timings.drainSeconds)}`,
    },
    ...(traitsOf(credential).closes
      ? [
          {
            step: `close ${role}`,
            waitsFor: `${duration(timings.graceSeconds)} without a refused login; one opens the role again`,
          },
        ]
      : []),
  ];
}

const endAtOnce = (credential: Credential, live: Slot): readonly PlannedStep[] => [
  {
    step: `${traitsOf(credential).closes ? `close ${credential.roles[live]} and end its` : "end the"} sessions`,
    waitsFor: "nothing, since others know the password",
  },
];
