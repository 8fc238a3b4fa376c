// What azure/login does, for the stub that stands for it in the story: the token that GitHub gives to a job is
// exchanged at Entra for one of the identity. Both are emulators, and both compare what the real ones compare. The stub
// runs it as a program.
import { appendFileSync } from "node:fs";
import { tokenFor } from "../../../client/credential.ts";

/** The variables by which a runner asks GitHub for the token of its job. */
export type JobVariables = Readonly<Record<string, string>>;

/** Signs a job in as an identity, and gives its token for Azure. @throws release-not-signed-in with Entra's words */
export async function signInByJob(job: JobVariables, clientId: string, tenant: string): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => !/^(ARM|AZURE)_(CLIENT|TENANT)_/.test(name));
  const environment = { ...Object.fromEntries(own), ...job, ARM_USE_OIDC: "true" };
  return tokenFor("https://management.azure.com", {
    ...environment,
    ARM_CLIENT_ID: clientId,
    ARM_TENANT_ID: tenant,
  })();
}

/** A job of a stack has a token of its own: its subject names the environment, which has the name of the stack. */
async function main(): Promise<void> {
  const { ID_TOKENS = "{}", STACK = "", CLIENT_ID = "", ARM_TENANT_ID = "", GITHUB_ENV = "" } = process.env;
  const job = (JSON.parse(ID_TOKENS) as Readonly<Record<string, JobVariables>>)[STACK];
  if (job === undefined) throw new Error(`GitHub gives no token to a job of ${STACK}`);
  await signInByJob(job, CLIENT_ID, ARM_TENANT_ID);
  // GitHub's runner gives them to each step of a job with the permission. act does not, so later steps get them here.
  appendFileSync(
    GITHUB_ENV,
    Object.entries(job).reduce((text, [name, value]) => `${text}${name}=${value}\n`, ""),
  );
  console.log(`signed in to Azure as ${CLIENT_ID}, by the token of the job`);
}

if (import.meta.main) await main();
