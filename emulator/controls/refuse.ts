// How the emulator's own controls refuse a request: as Azure refuses a malformed one, so that every client shows it.
import { ArmError } from "../arm/resource.ts";

/** Refuses a request to a control. @throws ArmError */
export const refuse = (message: string): never => {
  throw new ArmError(400, "InvalidRequestContent", message);
};
