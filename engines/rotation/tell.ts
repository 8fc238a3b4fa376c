// Facts → lines for people: in scenarios, in `ballast credential explain`, in the demo's timeline. The lines contain no
// ids of versions, so that the same rotation reads the same in every world.
import { duration } from "../time.ts";
import { senderOf } from "../wording.ts";
import { causes } from "./intent.ts";
import type { RotationEvent } from "./vocabulary.ts";
import { effectWords, many, readersIn, signalWords } from "./wording.ts";

/** Describes one fact in a line. */
export function messageOf(event: RotationEvent): string {
  switch (event.kind) {
    case "Requested": {
      const { cause, message, requestedBy, requestedByName = requestedBy } = event.intent;
      return `${cause} (${causes[cause]}), requested by ${requestedByName}: ${message}`;
    }
    case "Inspected":
      return `slot ${event.view.published?.slot ?? "none"} is published`;
    case "Started":
      if (event.old.version === "") return "both slots get a first version";
      return `slot ${event.live} is the old one; ${many(event.consumers.length, "consumer")}`;
    case "VersionMade":
      return `a version is in slot ${event.slot}, which nobody reads`;
    case "VerifierSet":
      return `the role of slot ${event.slot} has its password`;
    case "Probed":
      return `login with slot ${event.slot} ${event.login ? "succeeded" : "was refused"}: ${event.detail}`;
    case "RolloutRequested":
      return `the cut-over of ${event.stream.split("/")[2]} is requested, as a canary`;
    case "RolloutEnded":
      return `the cut-over ended as ${event.result}: ${event.message}`;
    case "Adopted":
      return `${event.message}; ${duration(event.seconds)} after the version was made`;
    case "Published":
      return `slot ${event.slot} is published for readers that name no slot`;
    case "ReadersSeen":
      return event.logins.length === 0
        ? `no login; ${many(event.sessions, "open session")}`
        : `logins by ${readersIn(event.logins)}; ${many(event.sessions, "open session")}`;
    case "SessionsEnded":
      return event.ended === 0
        ? "no session was open"
        : `${many(event.ended, "session")} ended, each with the query that it may have run`;
    case "LoginSet":
      return `the role of slot ${event.slot} ${event.login ? "may log in again" : "may no longer log in"}`;
    case "SecretMoved":
      return `${event.app} has the new version of the old slot, which no serving revision names`;
    case "Waited":
      return "waited";
    case "AttemptFailed":
      return `${effectWords[event.effect]} failed: ${event.message}`;
    case "Signalled":
      return `${signalWords(event.signal)} by ${senderOf(event)}: ${event.message}`;
    case "Disregarded":
      return event.what;
    default:
      return event.message;
  }
}

/** Reports whether a fact deserves a line for people who follow a rotation; the others are bookkeeping. */
export const isNoteworthy = (event: RotationEvent): boolean =>
  !["Inspected", "Probed", "RolloutEnded", "ReadersSeen", "Waited"].includes(event.kind);
