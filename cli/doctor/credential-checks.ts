// Checks the declared credentials, as the control plane sees them: whether each could be rotated, is replaced in time,
// and has its apps on the published slot.
import { type CredentialCalls, credentialCalls, type DeclaredCredential } from "../../client/credentials.ts";
import { troublesOf } from "../../engines/rotation/condition.ts";
import { secretKey } from "../../engines/rotation/declaration.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { doctorCredentialsUnwell } from "../../errors/doctor.ts";
import { boundPlane } from "./bound-plane.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";

const patienceSeconds = 15;
/** How many credentials are asked for at once. */
const atOnce = 4;

async function credentials({ stack }: Context): Promise<CheckResult> {
  const plane = boundPlane(stack, patienceSeconds);
  if (plane === undefined) return unknown("there is no control plane that may be asked for them");
  const calls = credentialCalls(plane);
  const declared = await shownBy(calls).catch((error: unknown) => {
    // What is wrong with the control plane itself is the finding of another check.
    if (error instanceof BallastError) return error;
    throw error;
  });
  if (declared instanceof BallastError) return unknown(`they cannot be read: ${declared.message}`);
  if (declared.length === 0) return ok("none is declared");
  const unwell = declared.flatMap((one) =>
    troublesOf(one, Date.now()).map((trouble) => `${one.vault}/${one.credential}: ${trouble}`),
  );
  if (unwell.length > 0) return failed(doctorCredentialsUnwell({ unwell }));
  return ok(`${declared.length} declared, each published and in time`);
}

/** Gives every declared credential as it stands, a few at a time: each makes the control plane ask vault and server. */
async function shownBy({ list, show }: CredentialCalls): Promise<readonly DeclaredCredential[]> {
  const left = [...(await list())];
  const shown: DeclaredCredential[] = [];
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const one = await show(name);
      if (one !== undefined) shown.push(one);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return shown.toSorted((one, other) => secretKey(one).localeCompare(secretKey(other)));
}

/** The checks of declared credentials. */
export const credentialChecks: readonly Check<Context>[] = [{ name: "credentials", run: credentials }];
