// The credential as inspected → how the rotation starts or continues, or why it does not. Everything that can be known
// before the first write is checked here.
import { after, duration } from "../../time.ts";
import { utcOf } from "../../utc.ts";
import { otherSlot, slotSecret } from "../declaration.ts";
import { whyExpiresTooLate } from "../expiry.ts";
import { amongKin, closedAt, overBudget } from "../opening.ts";
import { isFirst, isLeaked, roleOf } from "../progress.ts";
import { traitsOf } from "../systems.ts";
import type { Credential, CredentialView, RotationDecision, RotationState, Slot } from "../vocabulary.ts";
import { many, readersIn, slotServed } from "../wording.ts";
import { stop, unchanged } from "./end.ts";

/** Starts the rotation with what the inspection found, or ends it before the first write. */
export function start(state: RotationState, view: CredentialView): RotationDecision {
  if (isFirst(state)) return startFirst(state, view);
  return state.old.version === "" ? startAnew(state, view) : startAgain(state, view);
}

/** Starts the first versions of a credential, or continues them. No consumer can name a slot of it yet. */
function startFirst(state: RotationState, view: CredentialView): RotationDecision {
  const { published, declaration, missing } = view;
  const isOurs = published !== null && state.made !== undefined && published.of === state.made.version;
  if (published !== null && !isOurs) return unchanged("the credential has a published version already");
  const known: RotationState = { ...state, live: "b", published: isOurs ? "a" : "b" };
  const late = whyExpiresTooLate(declaration, state.now);
  if (late !== undefined) return stop(known, "credential-unfit", late);
  const inUse = isOurs || state.made !== undefined ? undefined : whyRolesInUse(view);
  if (inUse !== undefined) return stop(known, "idle-in-use", inUse);
  if (missing.length > 0)
    return stop(known, "privileges-missing", `the roles' rights differ: one lacks ${missing.join(", ")}`);
  const nothing = { version: "", url: "" };
  return { kind: "Started", live: "b", old: nothing, published: isOurs ? "a" : "b", consumers: [], login: true };
}

function startAnew(state: RotationState, view: CredentialView): RotationDecision {
  const { published, declaration } = view;
  if (published === null) return stop(state, "credential-unfit", "the credential has no published version");
  if (!published.enabled) return stop(state, "credential-unfit", "the published version is disabled");
  const { dueVersion } = state.intent!;
  if (dueVersion !== undefined && dueVersion !== published.version)
    return unchanged(`version ${dueVersion} was due, and ${published.version} is published`);
  const closed = whyClosed(state, view) ?? whyTooEarly(state, published);
  if (closed !== undefined) return closed;
  const live = published.slot;
  const known = { ...state, live, published: live };
  const newest = view.slots[live].newest;
  if (newest === null || newest.version !== published.of)
    return stop(known, "changed-elsewhere", `the published version is not the newest one of slot ${live}`);
  const consumers = slotsOf(declaration, view);
  const astray = consumers.findIndex((slot) => slot !== live);
  if (astray !== -1)
    return stop(known, "consumers-split", describeAstray(declaration, astray, consumers[astray], live));
  const late = whyExpiresTooLate(declaration, state.now);
  if (late !== undefined) return stop(known, "credential-unfit", late);
  const inUse = isLeaked(state) ? undefined : whyInUse(known, view);
  if (inUse !== undefined) return stop(known, "idle-in-use", inUse);
  if (view.missing.length > 0)
    return stop(known, "privileges-missing", `${roleOf(known, otherSlot(live))} lacks ${view.missing.join(", ")}`);
  return {
    kind: "Started",
    live,
    old: newest,
    published: live,
    consumers: consumers as readonly Slot[],
    login: view.slots[live].login,
  };
}

/** Says who may not ask, and what a rotation must wait for before it begins; undefined if it may begin. */
function whyClosed(state: RotationState, view: CredentialView): RotationDecision | undefined {
  const { declaration } = view;
  const { cause, requestedBy, requestedByName = requestedBy } = state.intent!;
  const may = declaration.mayRotate.map((id) => id.toLowerCase());
  if (cause !== "due" && may.length > 0 && !may.includes(requestedBy.toLowerCase()))
    return stop(state, "not-permitted", `${requestedByName} may not ask for a rotation of ${declaration.credential}`);
  if (isLeaked(state)) return undefined;
  const closed = closedAt(declaration, state.now) ?? amongKin(view, state.now) ?? overBudget(view, state.now);
  return closed && { kind: "Waiting", ...closed };
}

/** How far in the future a version may become valid that a rotation waits for: clocks differ by less. */
const earlySecondsMax = 3_600;

/**
 * Says why a version cannot be replaced that is not valid yet. Key Vault serves it all the same, but a reader that
 * looks at its attributes still uses the one before, whose slot would get a new password.
 */
function whyTooEarly(
  state: RotationState,
  { notBefore = 0 }: NonNullable<CredentialView["published"]>,
): RotationDecision | undefined {
  if (isLeaked(state) || notBefore <= state.now) return undefined;
  const from = utcOf(notBefore);
  return notBefore <= after(state.now, earlySecondsMax)
    ? {
        kind: "Waiting",
        reason: "not-yet-valid",
        message: `waits until ${from}, when the published version becomes valid`,
        until: notBefore,
      }
    : stop(state, "credential-unfit", `the published version is not valid before ${from}; retry then`);
}

/** Continues a rotation. What others have changed meanwhile is never overwritten. */
function startAgain(state: RotationState, view: CredentialView): RotationDecision {
  const { live, old, made, renewed, declaration } = state;
  const { published } = view;
  const idle = otherSlot(live);
  const expected = { [live]: (renewed ?? old).version, [idle]: made?.version ?? published?.of };
  const of = state.published === live ? old.version : made?.version;
  const gone = whatIsGone(state, view);
  if (gone !== undefined)
    return stop(
      state,
      "changed-elsewhere",
      `${gone} was deleted or disabled since: recover it in the vault, then retry`,
    );
  const isAsKnown = published?.slot === state.published && published.of === of;
  // The answer to our own publication may have been lost.
  const isOurs = published?.slot === idle && made !== undefined && published.of === made.version;
  if (!(isAsKnown || isOurs)) return stop(state, "changed-elsewhere", "another client has published a version since");
  const isOwn = (slot: Slot): boolean =>
    view.slots[slot].newest?.version === expected[slot] || view.slots[slot].rotation === state.intent?.rotation;
  const changed = [live, idle].find((slot) => made !== undefined && !isOwn(slot));
  if (changed !== undefined)
    return stop(state, "changed-elsewhere", `another client has made a version in slot ${changed} since`);
  const consumers = slotsOf(declaration!, view);
  const astray = consumers.findIndex((slot) => slot === null || slot === undefined);
  if (astray !== -1)
    return stop(state, "consumers-split", describeAstray(declaration!, astray, consumers[astray], live));
  // Whoever returns to the old version, or replaces a leaked one, waits for nobody.
  const full = state.direction === "back" || isLeaked(state) ? undefined : overBudget(view, state.now);
  if (full !== undefined) return { kind: "Waiting", ...full };
  return {
    kind: "Started",
    live,
    old,
    published: published.slot,
    consumers: consumers as readonly Slot[],
    login: view.slots[live].login,
  };
}

/** Names the secret that was there and cannot be read now; undefined if none. */
function whatIsGone({ made, live, intent }: RotationState, { published, slots }: CredentialView): string | undefined {
  const { credential = "" } = intent ?? {};
  if (published === null || !published.enabled) return `the published secret ${credential}`;
  const expected = made === undefined ? [live] : [live, otherSlot(live)];
  const gone = expected.find((slot) => slots[slot].newest === null);
  return gone && `the secret ${slotSecret(credential, gone)}`;
}

/** Gives the slot of each declared consumer; undefined for one that the view does not have. */
const slotsOf = ({ consumers }: Credential, view: CredentialView): readonly (Slot | null | undefined)[] =>
  consumers.map(
    ({ resourceGroup, app }) =>
      view.consumers.find(
        (seen) =>
          seen.app.toLowerCase() === app.toLowerCase() &&
          seen.resourceGroup.toLowerCase() === resourceGroup.toLowerCase(),
      )?.slot,
  );

function describeAstray({ consumers }: Credential, index: number, slot: Slot | null | undefined, live: Slot): string {
  const { app } = consumers[index]!;
  if (slot === undefined) return `${app} could not be found`;
  return slotServed(app, slot) + (slot === null ? "" : `, but slot ${live} is published`);
}

function whyRolesInUse({ idleLogins, idleSessions, declaration }: CredentialView): string | undefined {
  if (traitsOf(declaration).keepsFirst) return undefined;
  const { roles } = declaration;
  const who = `${roles.a} or ${roles.b}, which would get a new password`;
  if (idleSessions > 0) return `${who}, has ${many(idleSessions, "open session")}`;
  const accepted = idleLogins.filter(({ refused }) => !refused);
  return accepted.length === 0 ? undefined : `${who}, was used by ${readersIn(accepted)}`;
}

function whyInUse(state: RotationState, { idleLogins, idleSessions, declaration }: CredentialView): string | undefined {
  const role = roleOf(state, otherSlot(state.live));
  if (idleSessions > 0) return `${role}, which would get a new password, has ${many(idleSessions, "open session")}`;
  const accepted = idleLogins.filter(({ refused }) => !refused);
  if (accepted.length === 0) return undefined;
  const quiet = duration(declaration.timings.quietSeconds);
  return `${role}, which would get a new password, was used within ${quiet} by ${readersIn(accepted)}`;
}
