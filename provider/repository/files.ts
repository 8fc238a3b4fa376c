// The resource `ballast:index:RepositoryFiles`: files of a repository on GitHub, kept as a program says.
import type { Access } from "../../client/github/access.ts";
import { type FailedCheck, failedChecks } from "../../client/github/checks.ts";
import {
  compare,
  type Made,
  type Publication,
  type Published,
  publish,
  refuseHopeless,
  takeBack,
} from "../../client/github/publish.ts";
import { dictionary, list, number, type ObjectOf, object, oneOf, optional, text } from "../../engines/form.ts";
import { many } from "../../engines/wording.ts";
import { workflowsChecksFailed } from "../../errors/workflows.ts";
import { checkBy, resourceSchema } from "../package-schema.ts";
import {
  type Change,
  isOther,
  isUnknown,
  type Properties,
  type ResourceType,
  type Settled,
  unknownValue,
  type Voiced,
} from "../resource-type.ts";
import { accessOf, idOf, look, removing, repositoryField } from "./repository.ts";

const results = ["published", "proposed", "waiting", "drifted"] as const;
const any = text("a text", { least: 0 });

const inputFields = {
  repository: repositoryField,
  source: text("owner/name@commit", {
    pattern: "^[\\w.-]+/[\\w.-]+@[0-9a-f]{40}$",
    description: "Where the files come from, as their first line says: `owner/name@commit`.",
  }),
  files: { ...dictionary(any), description: "The texts, by their paths in the repository." },
  checks: optional(
    list(text("the name of a check"), {
      description: "Checks of the commit that must succeed; otherwise it is undone.",
    }),
  ),
  checkSeconds: optional(number({ above: 0, description: "How long the checks may take." }), 1800),
  after: optional(list(any, { description: "The outputs `result` of the repositories that come first." })),
};
const inputsForm = object(inputFields);
const outputsForm = object({
  result: oneOf(results, {
    description:
      "`published`; `proposed` by a pull request; `waiting` for the pull request of a repository that comes first; " +
      "`drifted` if a refresh found other text.",
  }),
  drift: list(any, { description: "The files that are not as they should be, as a refresh found them." }),
  commit: { ...any, description: "The last commit that was made; empty if none was needed." },
  pullRequest: { ...any, description: "The address of the pull request; empty if the commit was direct." },
});

type Inputs = ObjectOf<typeof inputFields>;
interface Outputs extends Inputs, ObjectOf<(typeof outputsForm)["fields"]> {}

/** What has been written before may be overwritten, whoever edited it since; a file that never was ours may not. */
function publicationOf({ files, source }: Inputs, { files: before = {} }: Partial<Outputs>): Publication {
  return {
    files: new Map(Object.entries(files)),
    obsolete: Object.keys(before).filter((path) => !Object.hasOwn(files, path)),
    source,
    mayReplace: (path) => Object.hasOwn(before, path),
  };
}

const driftIn = ({ files }: Published): readonly string[] =>
  Object.entries(files).flatMap(([path, state]) => (state === "current" ? [] : [`${path} ${state}`]));
/** Before the first update, what it waits for may not be known at all. */
const mustWait = ({ after }: Inputs): boolean =>
  Array.isArray(after) && after.some((result) => result !== "published" && result !== unknownValue);

const compared = (news: Inputs, old: Partial<Outputs>, around: Voiced): Promise<Published | undefined> =>
  look({ ...news }, "edits", around, () => compare(accessOf({ ...news }), publicationOf(news, old)));

async function diff(oldInputs: Properties, olds: Properties, given: Properties, around: Voiced): Promise<Change> {
  const news = given as unknown as Inputs;
  const old = olds as unknown as Outputs;
  if (isOther(oldInputs["repository"], given["repository"])) return { kind: "replace", because: ["repository"] };
  if (isUnknown([news.repository, news.source, news.files])) return { kind: "update", because: ["files"] };
  if (mustWait(news)) return old.result === "waiting" ? { kind: "none" } : { kind: "update", because: ["after"] };
  const found = await compared(news, old, around);
  if (found === undefined)
    return JSON.stringify(old.files) === JSON.stringify(news.files)
      ? { kind: "none" }
      : { kind: "update", because: ["files"] };
  for (const line of driftIn(found))
    if (line.endsWith(" edited")) around.warn(`${news.repository}: ${line} by hand; an update undoes it`);
  if (found.outcome === "differs") return { kind: "update", because: ["files"] };
  const now = found.outcome === "proposed" ? "proposed" : "published";
  return old.result === now ? { kind: "none" } : { kind: "update", because: ["result"] };
}

async function settle(given: Properties, around: Voiced, olds: Properties = {}): Promise<Settled> {
  const news = given as unknown as Inputs;
  const old = olds as Partial<Outputs>;
  const kept = { drift: [], commit: old.commit ?? "", pullRequest: "" };
  if (mustWait(news)) {
    around.report(`${news.repository} waits until the pull request of a repository before it is merged`);
    return { outputs: { ...news, ...kept, files: old.files ?? {}, result: "waiting" } };
  }
  const access = accessOf(given);
  const made = await publish(access, publicationOf(news, old));
  around.report(lineOf(made));
  const { commit = kept.commit, pullRequest = "" } = made;
  const result = made.outcome === "proposed" ? "proposed" : "published";
  const done = { ...news, ...kept, commit, pullRequest, result };
  if (made.outcome !== "committed" || !news.checks?.length) return { outputs: done };
  const { checks: names, checkSeconds: seconds } = news;
  const failed = await failedChecks(access, commit, { names, seconds, cancel: around.cancel });
  return failed.length === 0 ? { outputs: done } : undone(access, made, done, old, failed);
}

/** Goes back to the files that were there. The state then has those, so that the next update tries again. */
async function undone(
  access: Access,
  made: Made,
  done: Outputs | (Inputs & Properties),
  { files = {} }: Partial<Outputs>,
  checks: readonly FailedCheck[],
): Promise<Settled> {
  const back = await takeBack(access, made, done.source);
  const failure = workflowsChecksFailed({ repository: made.repository, checks, back });
  return { outputs: { ...done, files, commit: back, result: "drifted" }, failure };
}

function lineOf({ repository, outcome, commit, pullRequest, ...found }: Made): string {
  const what = pullRequest ?? (commit === undefined ? "" : `commit ${commit.slice(0, 7)}`);
  return [`${repository} ${outcome}`, what, driftIn({ repository, outcome, ...found }).join(", ")]
    .filter(Boolean)
    .join(": ");
}

async function readBack(given: Properties, olds: Properties, around: Voiced): Promise<Properties> {
  const old = olds as unknown as Outputs;
  if (old.result === "waiting") return olds;
  const found = await compared({ ...(given as unknown as Inputs), files: old.files, source: old.source }, old, around);
  if (found === undefined) return olds;
  const result = { unchanged: "published", proposed: "proposed", differs: "drifted", committed: "published" }[
    found.outcome
  ];
  return { ...olds, result, drift: driftIn(found), pullRequest: found.pullRequest ?? "" };
}

/** Takes the files away, those excepted that were edited. */
async function remove(given: Properties, olds: Properties, around: Voiced): Promise<void> {
  const news = given as unknown as Inputs;
  const publication = publicationOf({ ...news, files: {} }, olds as Partial<Outputs>);
  await removing(around, async () => around.report(lineOf(await publish(accessOf(given), publication))));
}

async function planned(given: Properties, _around: Voiced, olds: Properties = {}): Promise<string> {
  const news = given as unknown as Inputs;
  const { repository, source, files, after } = news;
  if (!isUnknown([repository, source, files]) && !mustWait(news))
    await refuseHopeless(accessOf(given), publicationOf(news, olds as Partial<Outputs>));
  const count = isUnknown(files) ? "its files" : many(Object.keys(files).length, "file");
  const wave = after?.length ? ", after the repositories before it" : "";
  return `would publish ${count} to ${repository === unknownValue ? "a repository" : repository} in one commit${wave}`;
}

/** Files of a repository on GitHub. */
export const repositoryFiles: ResourceType = {
  token: "ballast:index:RepositoryFiles",
  hasControlPlane: false,
  types: {},
  schema: resourceSchema(
    "Files of a repository on GitHub, in one signed commit. Edits by hand are reported and undone.",
    inputsForm,
    outputsForm,
  ),
  check: checkBy(inputsForm),
  diff,
  cautions: () => [],
  idOf,
  planned,
  unknownOutputs: ["result", "commit", "pullRequest"],
  settle,
  read: readBack,
  isInFlight: () => false,
  remove,
};
