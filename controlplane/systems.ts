// Joins the systems that accept credentials to one, as which a rotation sees them. Which one a credential is for stands
// in its declaration; nothing else asks for it.
import { type SystemName, systemOf } from "../engines/rotation/systems.ts";
import type { Credential } from "../engines/rotation/vocabulary.ts";
import type { System } from "./performers/rotation-ports.ts";

/** Makes the system that passes each call on to the one that the credential is for. */
export function joinSystems(systems: Readonly<Record<SystemName, System>>): System {
  const of = (credential: Credential): System => systems[systemOf(credential)];
  return {
    look: (credential, ...rest) => of(credential).look(credential, ...rest),
    newValue: (credential, ...rest) => of(credential).newValue(credential, ...rest),
    accept: (credential, ...rest) => of(credential).accept(credential, ...rest),
    prove: (credential, ...rest) => of(credential).prove(credential, ...rest),
    setLogin: (credential, ...rest) => of(credential).setLogin(credential, ...rest),
    sessions: (credential, ...rest) => of(credential).sessions(credential, ...rest),
    clock: (credential, ...rest) => of(credential).clock(credential, ...rest),
    endSessions: (credential, ...rest) => of(credential).endSessions(credential, ...rest),
    read: (credential, ...rest) => of(credential).read(credential, ...rest),
  };
}
