// GitHub's API for files, branches, pull requests and settings, over real git repositories on loopback. It refuses as
// GitHub does: a commit on a branch that has moved, a direct commit to a protected branch (with another error for a
// ruleset than for classic protection), a workflow file from a token without the scope, a file by an older version, a
// protection that the owner's plan does not have.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Body, type Call, type Hosted, notFound, type Organisation, type Reply, type Token } from "./calls.ts";
import { branches, checkRuns, contents } from "./contents.ts";
import { issues } from "./issues.ts";
import { mutate } from "./mutations.ts";
import { type Job, makeTokenService, type TokenService } from "./oidc.ts";
import { pulls } from "./pull-requests.ts";
import { Repository } from "./repository.ts";
import { freshSettings, settings } from "./settings.ts";

export interface Github extends AsyncDisposable {
  readonly api: string;
  /** `METHOD path` of every request. */
  readonly requests: string[];
  readonly tokens: Map<string, Token>;
  /** What the next requests like these are answered with instead. */
  readonly mishaps: Mishap[];
  readonly host: (name: string) => Hosted;
  /** The owner of repositories. It is on GitHub's free plan and has no team until a test says otherwise. */
  readonly organisation: (login: string) => Organisation;
  /** The keys by which a cloud verifies the tokens of jobs. */
  readonly keys: TokenService["keys"];
  /** Begins a job, and gives the variables by which it asks for tokens, as a runner has them. */
  readonly job: (job: Job) => Readonly<Record<string, string>>;
}

/** An answer in place of the right one, once. `lost` carries the request out and then breaks the connection. */
export interface Mishap {
  /** Which request, by `METHOD /path`. */
  readonly request: RegExp;
  readonly answer: { readonly status: number; readonly headers?: object; readonly text?: string } | "lost";
}

interface Hosting {
  readonly repositories: Map<string, Hosted>;
  readonly organisations: Map<string, Organisation>;
}

/** Starts it, with the repositories in a folder. */
export async function startGithub(folder: string): Promise<Github> {
  const hosting: Hosting = { repositories: new Map(), organisations: new Map() };
  const tokens = new Map<string, Token>();
  const requests: string[] = [];
  const mishaps: Mishap[] = [];
  const service = await makeTokenService();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const { pathname, searchParams } = new URL(request.url!, "http://127.0.0.1");
    const named = `${request.method} ${pathname}`;
    requests.push(named);
    const at = mishaps.findIndex((each) => each.request.test(named));
    const [mishap] = at < 0 ? [] : mishaps.splice(at, 1);
    if (mishap !== undefined && mishap.answer !== "lost") return answerWrongly(mishap.answer, response);
    const bearer = (request.headers.authorization ?? "").replace("Bearer ", "");
    const token = tokens.get(bearer);
    const call: Call = {
      method: request.method!,
      path: pathname,
      query: searchParams,
      body: body as Body,
      token: token!,
    };
    const [status, said] =
      pathname === tokenPath ? await jobToken(service, bearer, searchParams) : answerTo(hosting, call, token);
    if (mishap !== undefined) return void request.socket.destroy();
    const scopes = token?.scopes === undefined ? {} : { "x-oauth-scopes": token.scopes.join(", ") };
    response.writeHead(status, { "content-type": "application/json", ...scopes });
    response.end(said === undefined ? "" : JSON.stringify(said));
  };
  const server = createServer((request, response) =>
    answer(request, response).catch((error: unknown) => {
      // A body, or a part of a path, that cannot be read.
      const isTheirs = error instanceof SyntaxError || error instanceof URIError;
      const message = isTheirs ? "Problems parsing JSON" : (error as Error).message;
      answerWrongly({ status: isTheirs ? 400 : 500, text: JSON.stringify({ message }) }, response);
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    api,
    keys: service.keys,
    job: (job) => ({
      ACTIONS_ID_TOKEN_REQUEST_URL: `${api}${tokenPath}?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: service.begin(job),
    }),
    requests,
    tokens,
    mishaps,
    host: (name) => host(hosting, folder, name),
    organisation: (login) => organisation(hosting, login),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function answerWrongly(
  { status, headers = {}, text = '{"message":"It went wrong"}' }: Exclude<Mishap["answer"], "lost">,
  response: ServerResponse,
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}

const tokenPath = "/_oidc/token";

/** Answers a job that asks for a token. */
async function jobToken(service: TokenService, bearer: string, query: URLSearchParams): Promise<Reply> {
  const value = await service.token(bearer, query.get("audience") ?? "https://github.com");
  return value === undefined ? unknownToken : [200, { count: value.length, value }];
}

const answerTo = (hosting: Hosting, call: Call, token: Token | undefined): Reply =>
  token === undefined ? unknownToken : reply(hosting, call);

function organisation({ organisations }: Hosting, login: string): Organisation {
  const found = organisations.get(login.toLowerCase()) ?? { isPersonal: false, plan: "free", teams: new Map() };
  organisations.set(login.toLowerCase(), found);
  return found;
}

function host(hosting: Hosting, folder: string, name: string): Hosted {
  organisation(hosting, name.split("/")[0]!);
  const made: Hosted = {
    name,
    git: new Repository(join(folder, name)),
    id: 1000 + hosting.repositories.size,
    ownerId: 100 + [...hosting.organisations.keys()].indexOf(name.split("/")[0]!.toLowerCase()),
    protection: "none",
    isPrivate: false,
    isArchived: false,
    strangers: new Set(),
    hasImmutableSubject: false,
    pullRequests: [],
    comments: [],
    issues: [],
    settings: freshSettings(),
    racing: 0,
    checks: new Map(),
  };
  hosting.repositories.set(name.toLowerCase(), made);
  return made;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString());
}

const unknownToken: Reply = [401, { message: "Bad credentials" }];

function reply(hosting: Hosting, call: Call): Reply {
  if (call.path === "/graphql") return mutate(hosting.repositories, call);
  if (call.path === "/user") return authenticated(hosting, call);
  const [, login, below = ""] = /^\/orgs\/([^/]+)(\/.*)?$/.exec(call.path) ?? [];
  if (login !== undefined) return owner(hosting, login, below, call);
  const [, name, rest = ""] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(call.path) ?? [];
  const repository = hosting.repositories.get(name?.toLowerCase() ?? "");
  if (repository === undefined) return notFound;
  const organised = organisation(hosting, name!.split("/")[0]!);
  if (rest === "") return call.method === "GET" ? [200, described(repository, organised)] : notFound;
  if (repository.isArchived && call.method !== "GET")
    return [403, { message: "Repository was archived so is read-only." }];
  const [, area = "", more = ""] = /^\/(git\/refs?|contents|pulls|issues|commits)\/?(.*)$/.exec(rest) ?? [];
  const path = decodeURIComponent(more);
  if (area === "contents") return contents(repository, path, call);
  if (area === "issues") return issues(repository, path, call);
  if (area === "pulls") return pulls(repository, name!, path, call);
  if (area === "commits" && path.endsWith("/check-runs")) return checkRuns(repository, path.split("/")[0]!, call);
  if (area.startsWith("git/")) return branches(repository, path, call);
  return settings(repository, organised, rest, call) ?? notFound;
}

const described = ({ name, id, ownerId, isPrivate, isArchived }: Hosted, { isPersonal }: Organisation) => ({
  id,
  full_name: name,
  default_branch: "main",
  archived: isArchived,
  private: isPrivate,
  visibility: isPrivate ? "private" : "public",
  owner: { id: ownerId, login: name.split("/")[0], type: isPersonal ? "User" : "Organization" },
});

/** Serves an organisation, its teams, and whether a team has access to a repository. A person is no organisation. */
function owner({ organisations, repositories }: Hosting, login: string, rest: string, { method }: Call): Reply {
  const found = organisations.get(login.toLowerCase());
  if (method !== "GET" || found === undefined || found.isPersonal) return notFound;
  if (rest === "") return [200, { login, plan: { name: found.plan } }];
  const [, team = "", name] = /^\/teams\/([^/]+)(?:\/repos\/([^/]+\/[^/]+))?$/.exec(rest) ?? [];
  const slug = decodeURIComponent(team);
  const id = found.teams.get(slug);
  if (id === undefined) return notFound;
  if (name === undefined) return [200, { id, slug }];
  const repository = repositories.get(name.toLowerCase());
  return repository === undefined || repository.strangers.has(id) ? notFound : [204];
}

/** Serves who asks. A person is told the own plan; the token of an app is no person's. */
function authenticated({ organisations }: Hosting, { method, token: { login } }: Call): Reply {
  if (method !== "GET") return notFound;
  if (login.endsWith("[bot]")) return [403, { message: "Resource not accessible by integration" }];
  const plan = organisations.get(login.toLowerCase())?.plan ?? "free";
  return [200, { login, plan: { name: plan } }];
}
