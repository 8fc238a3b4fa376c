// GitHub's REST API for comments and issues of one repository, on loopback: pages, permissions by token, the limit of a
// comment's length, and answers that go wrong when a test wants it. It keeps what was written, so that tests compare
// outcomes.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A comment or an issue, as it is kept. */
export interface Kept {
  readonly id: number;
  readonly on: number;
  readonly login: string;
  body: string;
}
export interface KeptIssue extends Omit<Kept, "on"> {
  readonly number: number;
  title: string;
  state: string;
  readonly labels: readonly string[];
  readonly isPullRequest: boolean;
}

/** An answer that replaces the real one, once. `lost` carries the request out and then breaks the connection. */
export type Mishap = { readonly status: number; readonly headers?: object; readonly text?: string } | "lost";

export interface FakeGithub extends AsyncDisposable {
  /** What a command needs in its environment. */
  readonly environment: NodeJS.ProcessEnv;
  readonly comments: Kept[];
  readonly issues: KeptIssue[];
  /** Newest commits of pull requests. */
  readonly heads: Map<number, string>;
  /** Answers for the next requests with a method and a path like these. */
  readonly mishaps: { readonly request: RegExp; readonly answer: Mishap }[];
  /** `METHOD /path` of every request. */
  readonly requests: string[];
  /** Adds a comment of somebody. */
  readonly comment: (on: number, login: string, body: string) => Kept;
}

const own = "github-actions[bot]";
const bodyCharactersMax = 65_536;
const repository = "acme/shop";
export const token = "ghs_token0of0the0fake0github0000000000000";

/** Starts it. */
export async function startFakeGithub(): Promise<FakeGithub> {
  let ids = 100;
  const nextNumber = (): number => {
    ids += 1;
    return ids;
  };
  const fake: Omit<FakeGithub, "environment" | typeof Symbol.asyncDispose> = {
    comments: [],
    issues: [],
    heads: new Map(),
    mishaps: [],
    requests: [],
    comment: (on, login, body) => {
      const kept = { id: nextNumber(), on, login, body };
      fake.comments.push(kept);
      return kept;
    },
  };
  const server = createServer((request, response) => void serve(fake, nextNumber, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...fake,
    environment: {
      GITHUB_API_URL: `http://127.0.0.1:${port}`,
      GITHUB_REPOSITORY: repository,
      GITHUB_TOKEN: token,
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

type State = Omit<FakeGithub, "environment" | typeof Symbol.asyncDispose>;
type Reply = readonly [status: number, body?: unknown];

async function serve(fake: State, nextNumber: () => number, request: IncomingMessage, response: ServerResponse) {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const url = new URL(request.url!, "http://127.0.0.1");
  const named = `${request.method} ${url.pathname.replace(`/repos/${repository}`, "")}`;
  fake.requests.push(named);
  const at = fake.mishaps.findIndex((each) => each.request.test(named));
  const [mishap] = at < 0 ? [] : fake.mishaps.splice(at, 1);
  const body = parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString());
  if (mishap !== undefined && mishap.answer !== "lost") {
    const { status, headers = {}, text = '{"message":"It went wrong"}' } = mishap.answer;
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
    return;
  }
  const isKnown = request.headers.authorization === `Bearer ${token}`;
  const [status, answer] = isKnown
    ? replyTo(fake, nextNumber, named, url.searchParams, body)
    : ([401, { message: "Bad credentials" }] as const);
  if (mishap !== undefined) return void request.socket.destroy();
  response.writeHead(status, { "content-type": "application/json" });
  response.end(answer === undefined ? "" : JSON.stringify(answer));
}

const notFound: Reply = [404, { message: "Not Found" }];

function replyTo(fake: State, nextNumber: () => number, named: string, query: URLSearchParams, body: any): Reply {
  if (String(body?.body ?? "").length > bodyCharactersMax)
    return [422, { message: "Validation Failed: body is too long (maximum is 65536 characters)" }];
  const [, number = ""] = /\/(\d+)(\/|$)/.exec(named) ?? [];
  const paged = <Item>(items: readonly Item[]): readonly Item[] => {
    const [size, page] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
    return items.slice((page - 1) * size, page * size);
  };
  switch (named.replaceAll(/\d+/g, "#")) {
    case "GET /pulls/#": {
      const sha = fake.heads.get(Number(number));
      return sha === undefined ? notFound : [200, { head: { sha } }];
    }
    case "GET /issues/#/comments":
      return [200, paged(fake.comments.filter(({ on }) => on === Number(number)).map(commentJson))];
    case "POST /issues/#/comments":
      return [201, commentJson(fake.comment(Number(number), own, body.body))];
    case "PATCH /issues/comments/#":
    case "DELETE /issues/comments/#":
      return changeComment(fake, Number(number), named.startsWith("DELETE"), body);
    default:
      return replyAboutIssues(fake, nextNumber, named, Number(number), { paged, query, body });
  }
}

const commentJson = ({ id, on, login, body }: Kept) => ({
  id,
  body,
  user: { login },
  html_url: `https://github.com/${repository}/pull/${on}#issuecomment-${id}`,
});

function changeComment(fake: State, id: number, isRemoved: boolean, body: any): Reply {
  const at = fake.comments.findIndex((each) => each.id === id);
  if (at < 0) return notFound;
  if (isRemoved) {
    fake.comments.splice(at, 1);
    return [204];
  }
  fake.comments[at]!.body = body.body;
  return [200, commentJson(fake.comments[at]!)];
}

interface Asked {
  readonly paged: <Item>(items: readonly Item[]) => readonly Item[];
  readonly query: URLSearchParams;
  readonly body: any;
}

function replyAboutIssues(fake: State, next: () => number, named: string, number: number, asked: Asked): Reply {
  const { paged, query, body } = asked;
  if (named === "GET /issues") {
    const isAsked = ({ state, login }: KeptIssue): boolean =>
      state === query.get("state") && login === query.get("creator");
    return [200, paged(fake.issues.filter(isAsked).map(issueJson))];
  }
  if (named === "POST /issues") {
    const id = next();
    const { title, labels = [], body: text } = body;
    fake.issues.unshift({ id, number: id, login: own, state: "open", isPullRequest: false, title, labels, body: text });
    return [201, issueJson(fake.issues[0]!)];
  }
  const issue = fake.issues.find((each) => each.number === number);
  if (issue === undefined || !named.startsWith("PATCH /issues/")) return notFound;
  Object.assign(issue, body);
  return [200, issueJson(issue)];
}

const issueJson = ({ number, title, state, login, body, isPullRequest }: KeptIssue) => ({
  number,
  title,
  state,
  body,
  user: { login },
  html_url: `https://github.com/${repository}/issues/${number}`,
  ...(isPullRequest && { pull_request: {} }),
});
