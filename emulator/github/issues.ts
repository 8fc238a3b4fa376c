// Issues of a repository and the comments of issues and pull requests over REST: numbers in one sequence, pages, the
// limit of a text's length, and authors who are whoever the token is of.
import { type Call, type Hosted, notFound, type Reply } from "./calls.ts";

const bodyCharactersMax = 65_536;

interface IssueBody {
  readonly title?: string;
  readonly body?: string;
  readonly state?: "open" | "closed";
  readonly labels?: readonly string[];
}

/** Serves what is below `/issues`. */
export function issues(repository: Hosted, path: string, call: Call): Reply {
  const body = (call.body ?? {}) as unknown as IssueBody;
  if ((body.body ?? "").length > bodyCharactersMax)
    return [422, { message: "Validation Failed: body is too long (maximum is 65536 characters)" }];
  const [, comment] = /^comments\/(\d+)$/.exec(path) ?? [];
  if (comment !== undefined) return changeComment(repository, Number(comment), body, call);
  const [, number, isAboutComments] = /^(\d+)(\/comments)?$/.exec(path) ?? [];
  if (path === "") return call.method === "GET" ? listed(repository, call) : opened(repository, body, call);
  if (number === undefined) return notFound;
  return isAboutComments
    ? commentsOn(repository, Number(number), body, call)
    : changed(repository, Number(number), body, call);
}

const paged = <Item>(items: readonly Item[], { query }: Call): readonly Item[] => {
  const [size, page] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
  return items.slice((page - 1) * size, page * size);
};

type Comment = Hosted["comments"][number];
type Issue = Hosted["issues"][number];

const shownComment = ({ name }: Hosted, { id, on, login, body }: Comment) => ({
  id,
  body,
  user: { login },
  html_url: `https://github.com/${name}/pull/${on}#issuecomment-${id}`,
});

const shownIssue = ({ name }: Hosted, { login, labels, ...issue }: Issue) => ({
  ...issue,
  labels: labels.map((label) => ({ name: label })),
  user: { login },
  html_url: `https://github.com/${name}/issues/${issue.number}`,
});

function commentsOn(repository: Hosted, on: number, { body = "" }: IssueBody, call: Call): Reply {
  const { comments, pullRequests, issues: all } = repository;
  if (![...pullRequests, ...all].some(({ number }) => number === on)) return notFound;
  const found = comments.filter((each) => each.on === on);
  if (call.method === "GET") return [200, paged(found, call).map((each) => shownComment(repository, each))];
  if (call.method !== "POST") return notFound;
  const id = 1 + Math.max(0, ...comments.map((each) => each.id));
  const made = { id, on, login: call.token.login, body };
  comments.push(made);
  return [201, shownComment(repository, made)];
}

function changeComment(repository: Hosted, id: number, { body = "" }: IssueBody, { method, token }: Call): Reply {
  const { comments } = repository;
  const at = comments.findIndex((each) => each.id === id);
  const found = comments[at];
  if (found === undefined) return notFound;
  if (found.login !== token.login) return [403, { message: "Resource not accessible by integration" }];
  if (method === "DELETE") {
    comments.splice(at, 1);
    return [204];
  }
  if (method !== "PATCH") return notFound;
  found.body = body;
  return [200, shownComment(repository, found)];
}

function listed(repository: Hosted, call: Call): Reply {
  const [state, creator] = [call.query.get("state") ?? "open", call.query.get("creator")];
  const wanted = (call.query.get("labels") ?? "").split(",").filter((label) => label !== "");
  // GitHub lists pull requests among the issues.
  const pulled = repository.pullRequests.map((each) => ({
    ...each,
    labels: [] as readonly string[],
    pull_request: {},
  }));
  const found = [...repository.issues, ...pulled].filter(
    ({ state: own, login, labels }) =>
      (state === "all" || own === state) &&
      (creator === null || login === creator) &&
      wanted.every((label) => labels.includes(label)),
  );
  const newest = found.toSorted((one, other) => other.number - one.number);
  return [200, paged(newest, call).map((each) => shownIssue(repository, each))];
}

function opened(repository: Hosted, { title, body = "", labels = [] }: IssueBody, { method, token }: Call): Reply {
  if (method !== "POST") return notFound;
  if (!title) return [422, { message: "Validation Failed", errors: [{ field: "title", code: "missing_field" }] }];
  // Issues and pull requests have one sequence of numbers.
  const number = 1 + Math.max(0, ...[...repository.issues, ...repository.pullRequests].map((each) => each.number));
  const made: Issue = { number, login: token.login, state: "open", title, body, labels };
  repository.issues.push(made);
  return [201, shownIssue(repository, made)];
}

function changed(repository: Hosted, number: number, { title, body, state }: IssueBody, { method }: Call): Reply {
  const found = repository.issues.find((each) => each.number === number);
  if (found === undefined) return notFound;
  if (method === "PATCH")
    Object.assign(found, { ...(title && { title }), ...(body && { body }), ...(state && { state }) });
  return method === "PATCH" || method === "GET" ? [200, shownIssue(repository, found)] : notFound;
}
