// A declared credential as it stands → what is wrong with it while no rotation runs: rights that a rotation would lack,
// a version that nobody replaces, and slots that others have moved.
import { dayMilliseconds, type Instant } from "../time.ts";
import { many } from "../wording.ts";
import type { DeclaredCredential } from "./declared.ts";
import { dueAt } from "./due.ts";
import { opensFrom } from "./opening.ts";
import { slotServed } from "./wording.ts";

/** How soon a rotation must begin once it may: it waits for an hour's look, and perhaps for others. */
const lateMilliseconds = dayMilliseconds;

/** Lists what is wrong with a credential; nothing if a rotation could begin whenever it is due. */
export function troublesOf(declared: DeclaredCredential, now: Instant): readonly string[] {
  const { published, missing, unread } = declared;
  if (unread !== null) return [`it cannot be read (${unread})`];
  if (published === null) return ["no version of it is published"];
  return [
    ...expiryTrouble(declared, published.expiresAt, now),
    ...(missing.length === 0 ? [] : [`the rights of its roles differ: one lacks ${missing.join(", ")}`]),
    ...declared.consumers
      .filter(({ slot }) => slot !== published.slot)
      .map(({ app, slot }) => `${slotServed(app, slot)}, but slot ${published.slot} is published`),
  ];
}

/** Says that a version was not replaced within a day of the first moment that its window and freezes allow. */
function expiryTrouble(declared: DeclaredCredential, expiresAt: Instant | null, now: Instant): readonly string[] {
  if (expiresAt === null) return ["its version has no expiry, so it is never replaced"];
  const due = dueAt(declared.declaration, expiresAt);
  const lateSince = opensFrom(declared.declaration, due) + lateMilliseconds;
  if (now < lateSince) return expiresAt <= now ? ["its version has expired"] : [];
  const days = Math.floor((expiresAt - now) / dayMilliseconds);
  const left = expiresAt <= now ? "has expired" : `expires in ${many(days, "day")}`;
  return [`its version ${left}, and no rotation has replaced it`];
}
