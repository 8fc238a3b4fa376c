// Refusals that every resource type shares: of what Azure runs and the emulator does not, and of what Azure refuses
// with a code that nobody has published. Both have a code of our own, so that no client can come to rely on it.
import { ArmError } from "./resource.ts";

/** Makes the refusal of something that Azure runs and the emulator does not. */
export const unsupported = (what: string): ArmError =>
  new ArmError(400, "EmulatorUnsupported", `The emulator does not run ${what}. Azure does.`);

/** Makes the refusal of something that Azure refuses as well, with a code that is not public. */
export const refusedToo = (problem: string): ArmError =>
  new ArmError(400, "EmulatorUnsupported", `${problem} Azure refuses this too; its code is not public.`);

/** Makes a refusal in the flat form `{"code", "message"}`, which some of Azure's resource providers answer with. */
export function flatError(status: number, code: string, message: string): ArmError {
  const error = new ArmError(status, code, message);
  error.body = { code, message };
  return error;
}
