// The kinds of work that the control plane carries out. Only roots import this list; everything else is handed what it
// needs of it.
import { type AnyKind, type Kinds, type Precedence, registerKinds } from "./kind.ts";
import { remediationKind } from "./remediation/kind.ts";
import { rolloutKind } from "./rollout/kind.ts";
import { rotationKind } from "./rotation/kind.ts";

const all: readonly AnyKind[] = [rolloutKind, rotationKind, remediationKind];

/** What happens to a request for one kind while a stream of another holds its target. Not listed means refused. */
const precedence: Precedence = {};

/** Every kind. */
export const kinds: Kinds = registerKinds(all, precedence);
