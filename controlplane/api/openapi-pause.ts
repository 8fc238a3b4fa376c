// The calls about a pause of all remediations, for the description of the API.
import { exactly, type Schema } from "../../engines/schema.ts";
import type { Operation } from "./operation.ts";
import { pauseForm, resumeForm } from "./pause-all.ts";

const pause: Schema = exactly({
  by: { type: "string", description: "Who paused." },
  message: { type: "string", description: "Why." },
  until: { type: "number", description: "When it ends by itself." },
});
const path = "/remediations/pause";

export const pauseOperations = {
  showPause: {
    method: "GET",
    path,
    role: "Rollout.Read",
    summary: "Show the pause of all remediations that is in force; null if there is none.",
    answers: {
      200: { description: "The pause.", shape: exactly({ paused: { oneOf: [pause, { type: "null" }] } }) },
    },
  },
  pauseAll: {
    method: "POST",
    path,
    role: "Rollout.Write",
    body: pauseForm,
    summary:
      "Pause all remediations for a time. Actions that change something wait; diagnostics, calls of people and the " +
      "verification of what was done go on. A second call replaces the pause.",
    answers: { 200: { description: "The pause that is in force now.", shape: exactly({ paused: pause }) } },
  },
  resumeAll: {
    method: "POST",
    path: "/remediations/resume",
    role: "Rollout.Write",
    body: resumeForm,
    summary: "End the pause of all remediations. What waits for it goes on within a minute.",
    answers: {
      200: { description: "Whether there was a pause.", shape: exactly({ wasPaused: { type: "boolean" } }) },
    },
  },
} as const satisfies Readonly<Record<string, Operation>>;
