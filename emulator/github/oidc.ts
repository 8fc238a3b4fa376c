// The tokens by which a job signs in to a cloud: their subject says which repository it is of, and which environment,
// pull request or branch it runs for. Repositories of 2026 have ids in it, and a repository may choose other claims.
import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";
import type { Hosted } from "./calls.ts";

/** A job that runs. */
export interface Job {
  readonly of: Hosted;
  readonly event: "pull_request" | "push" | "schedule" | "workflow_dispatch";
  readonly ref: string;
  readonly environment?: string;
  readonly workflowRef?: string;
}

/** Whose tokens they are. */
export const githubIssuer = "https://token.actions.githubusercontent.com";
const secondsValid = 300;

/** A colon separates claims, so one within a value is written otherwise. */
const escaped = (value: string): string => value.replaceAll(":", "%3A");

/** Gives the last part of the standard subject. */
const contextOf = ({ event, ref, environment }: Job): string => {
  if (environment !== undefined) return `environment:${escaped(environment)}`;
  return event === "pull_request" ? "pull_request" : `ref:${ref}`;
};

/** Gives the repository as the subject names it. */
function repositoryIn({ name, id, ownerId, hasImmutableSubject }: Hosted): string {
  const [owner, repository] = name.split("/");
  return hasImmutableSubject ? `repo:${owner}@${ownerId}/${repository}@${id}` : `repo:${name}`;
}

/** Gives the claims of a job beside those that every token has. */
function claimsOf(job: Job): Readonly<Record<string, string>> {
  const { of, event, ref, environment, workflowRef = "" } = job;
  const [owner = ""] = of.name.split("/");
  return {
    repository: of.name,
    repository_id: String(of.id),
    repository_owner: owner,
    repository_owner_id: String(of.ownerId),
    event_name: event,
    ref,
    job_workflow_ref: workflowRef,
    ...(environment === undefined ? {} : { environment }),
  };
}

/** Gives the subject of a job's token: the standard one, or of the claims that its repository has chosen. */
export function subjectOf(job: Job): string {
  const { use_default: isStandard, include_claim_keys: keys = [] } = job.of.settings.subject;
  if (isStandard) return `${repositoryIn(job.of)}:${contextOf(job)}`;
  const claims = claimsOf(job);
  return keys
    .map((key) => {
      if (key === "repo") return repositoryIn(job.of);
      if (key === "context") return contextOf(job);
      return `${key}:${escaped(claims[key] ?? "")}`;
    })
    .join(":");
}

/** The service that gives tokens to jobs. */
export interface TokenService {
  readonly keys: JSONWebKeySet;
  /** Begins a job, and gives the bearer by which it asks for tokens. */
  readonly begin: (job: Job) => string;
  /** Gives a token for an audience; undefined if the bearer is no job's. */
  readonly token: (bearer: string, audience: string) => Promise<string | undefined>;
}

/** Makes the service, with keys of its own. */
export async function makeTokenService(): Promise<TokenService> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const kid = randomBytes(8).toString("hex");
  const jobs = new Map<string, Job>();
  return {
    keys: { keys: [{ ...(await exportJWK(publicKey)), kid, use: "sig", alg: "RS256" }] },
    begin: (job) => {
      const bearer = randomBytes(24).toString("base64url");
      jobs.set(bearer, job);
      return bearer;
    },
    token: async (bearer, audience) => {
      const job = jobs.get(bearer);
      if (job === undefined) return undefined;
      return new SignJWT(claimsOf(job))
        .setProtectedHeader({ alg: "RS256", kid, typ: "JWT" })
        .setIssuer(githubIssuer)
        .setSubject(subjectOf(job))
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore(Math.floor(Date.now() / 1000) - 60)
        .setExpirationTime(`${secondsValid}s`)
        .sign(privateKey);
    },
  };
}
