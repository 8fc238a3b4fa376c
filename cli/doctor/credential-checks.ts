// Checks the declared credentials, as the control plane sees them: whether each could be rotated, is replaced in time,
// and has its apps on the published slot.
import { credentialCalls } from "../../client/credentials.ts";
import { troublesOf } from "../../engines/rotation/condition.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { doctorCredentialsUnwell } from "../../errors/doctor.ts";
import { boundPlane } from "./bound-plane.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";

const patienceSeconds = 15;

async function credentials({ stack }: Context): Promise<CheckResult> {
  const plane = boundPlane(stack, patienceSeconds);
  if (plane === undefined) return unknown("there is no control plane that may be asked for them");
  const calls = credentialCalls(plane);
  const declared = await calls.list().catch((error: unknown) => {
    // What is wrong with the control plane itself is the finding of another check.
    if (error instanceof BallastError) return error;
    throw error;
  });
  if (declared instanceof BallastError) return unknown(`they cannot be listed: ${declared.message}`);
  if (declared.length === 0) return ok("none is declared");
  const seen = await Promise.all(declared.map((name) => calls.show(name)));
  const unwell = seen.flatMap((one) => {
    const troubles = one === undefined ? [] : troublesOf(one, Date.now());
    return troubles.map((trouble) => `${one?.vault}/${one?.credential}: ${trouble}`);
  });
  if (unwell.length > 0) return failed(doctorCredentialsUnwell({ unwell }));
  return ok(`${declared.length} declared, each published and in time`);
}

/** The checks of declared credentials. */
export const credentialChecks: readonly Check<Context>[] = [{ name: "credentials", run: credentials }];
