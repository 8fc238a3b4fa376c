// The forms of the arguments of the components for GitHub.
import { list, number, object, oneOf, optional, text } from "../../engines/form.ts";
import { input, named, parts, plain } from "../arguments.ts";
import { word } from "../shared-forms.ts";
import { type DeliveredStack, secretNames, stacksThatShare } from "./delivery.ts";

const repository = text("owner/name", { pattern: "^[\\w.-]+/[\\w.-]+$" });
const uuid = text("an id of 32 hexadecimal digits in five groups", {
  pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
});
/** It stands in the key of a job. */
const stackName = text("the name of a stack: letters, digits, _, - and .", { pattern: "^[A-Za-z0-9_.-]+$" });

const branch = text("the name of a branch", { pattern: "^[\\w./+-]+$" });

export const deliveryWorkflows = object(
  {
    source: plain(
      text("owner/name@commit, with all 40 characters of the commit", { pattern: "^[\\w.-]+/[\\w.-]+@[0-9a-f]{40}$" }),
    ),
    version: plain(text("a version, such as v1.4.0", { pattern: "^[\\w.+-]+$" })),
    stacks: plain(
      list(
        object({
          name: stackName,
          tenantId: optional(uuid),
          subscriptionId: optional(uuid),
          secrets: optional(list(oneOf(secretNames))),
        }),
        { least: 1, what: "a list of stacks, with one at least" },
      ),
    ),
    folder: optional(plain(text("a folder below the root, such as infra", { pattern: "^(?!/)[\\w./-]+$" }))),
    branch: optional(plain(branch)),
    project: optional(plain(stackName)),
    has: optional(plain(list(oneOf(["credentials", "migrations"])))),
    workflows: optional(named(plain(word), text("the name of a workflow's file", { pattern: "^[\\w.-]+\\.ya?ml$" }))),
    waves: plain(
      list(list(repository, { least: 1, what: "a list of repositories, with one at least" }), {
        least: 1,
        what: "a list of waves, with one at least",
      }),
    ),
    checks: optional(plain(list(word))),
    checkSeconds: optional(plain(number({ above: 0 }))),
  },
  {
    check: ({ waves, stacks }) => {
      const shared = stacksThatShare(stacks as readonly DeliveredStack[]);
      const all = (waves as readonly (readonly string[])[]).flat().map((each) => String(each).toLowerCase());
      const twice = all.filter((each, at) => all.indexOf(each) !== at);
      return [
        ...twice.map((each) => `waves names ${each} twice.`),
        ...(shared ? [`stacks ${shared.one} and ${shared.other} would share the variable ${shared.variable}.`] : []),
      ];
    },
  },
);

const identity = object({ resourceGroupName: input(word), identityName: input(word) });

export const repositoryGuard = object({
  repository: plain(repository),
  environments: parts(
    named(
      object({
        reviewers: plain(list(word, { most: 6, what: "a list of at most 6 teams" })),
        waitMinutes: optional(plain(number({ least: 0, most: 43_200, whole: true }))),
        branches: optional(plain(list(word))),
        identity: optional(identity),
      }),
      word,
    ),
  ),
  branch: optional(plain(branch)),
  reportedChecks: plain(list(word)),
  requiredChecks: optional(plain(list(word))),
  bypassApps: optional(plain(list(number({ least: 1, whole: true })))),
  previewIdentity: optional(identity),
});
