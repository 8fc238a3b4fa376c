// The resource `ballast:index:RepositorySettings`: who approves deployments, which checks a pull request needs, what
// actions may run and what the tokens for a cloud say, as a program has it.
import { canWait, factsOf, refuseImpossible } from "../../client/github/facts.ts";
import type { RepositorySettings } from "../../client/github/repository-settings.ts";
import { differences, removeSettings, writeSettings } from "../../client/github/settings.ts";
import { dictionary, list, number, type ObjectOf, object, text } from "../../engines/form.ts";
import { checkBy, propertiesOf, resourceSchema, typesOf } from "../package-schema.ts";
import {
  type Change,
  type FunctionType,
  isOther,
  isUnknown,
  type Properties,
  type ResourceType,
  type Voiced,
} from "../resource-type.ts";
import { accessOf, idOf, look, removing, repositoryField } from "./repository.ts";

const word = text("a text that is not empty", { pattern: "\\S" });
const environment = object(
  {
    reviewers: list(word, { most: 6, description: "Teams of the owner that approve, by their slugs." }),
    waitMinutes: number({ least: 0, most: 43_200, whole: true, description: "How long each deployment waits." }),
    branches: list(word, { description: "Branches that may deploy; none means all." }),
  },
  { title: "RepositoryEnvironment", description: "An environment of a repository." },
);
const inputFields = {
  repository: repositoryField,
  environments: { ...dictionary(environment), description: "Environments, by their names." },
  requiredChecks: list(word, { description: "Checks that a pull request to the default branch needs." }),
  bypassApps: list(number({ whole: true }), { description: "Apps that commit without a pull request, by their ids." }),
  subjectClaims: list(word, { description: "Claims in the subject of tokens; none means GitHub's default." }),
};
const inputsForm = object(inputFields);
const outputsForm = object({
  drift: list(text("a text"), { description: "What is not as it should be, as a refresh found it." }),
});

interface Inputs extends ObjectOf<typeof inputFields> {}

const settingsIn = (properties: Properties): RepositorySettings => properties as unknown as Inputs;

/** Lists what differs on GitHub. */
const drift = (properties: Properties, around: Voiced): Promise<readonly string[] | undefined> =>
  look(properties, "changes", around, async () =>
    (await differences(accessOf(properties), settingsIn(properties))).map(({ message }) => message),
  );

async function diff(oldInputs: Properties, _old: Properties, news: Properties, around: Voiced): Promise<Change> {
  if (isOther(oldInputs["repository"], news["repository"])) return { kind: "replace", because: ["repository"] };
  const changed = Object.keys(inputFields).filter(
    (key) => JSON.stringify(oldInputs[key]) !== JSON.stringify(news[key]),
  );
  if (changed.length > 0 || isUnknown(news)) return { kind: "update", because: changed };
  const found = (await drift(news, around)) ?? [];
  for (const line of found) around.warn(`${news["repository"]}: ${line}; an update mends it`);
  return found.length === 0 ? { kind: "none" } : { kind: "update", because: ["drift"] };
}

async function planned(properties: Properties): Promise<string> {
  if (isUnknown(properties)) return "would guard a repository";
  const access = accessOf(properties);
  const facts = await factsOf(access);
  await refuseImpossible(access, facts, settingsIn(properties));
  // Without the right to read the owner's plan a token may not know it, and then GitHub refuses at the update.
  const isUnsure = facts.isPrivate && (facts.plan === undefined || canWait(facts) === undefined);
  const unknown = isUnsure ? "; whether its owner's plan has all of it is not known" : "";
  return `would guard ${access.repository}${unknown}`;
}

/** The settings of a repository on GitHub that guard its deliveries. */
export const repositorySettings: ResourceType = {
  token: "ballast:index:RepositorySettings",
  hasControlPlane: false,
  types: typesOf(object({ environment })),
  schema: resourceSchema(
    "Settings of a repository on GitHub that guard its deliveries. A delete takes the ruleset away only.",
    inputsForm,
    outputsForm,
  ),
  check: checkBy(inputsForm),
  diff,
  cautions: () => [],
  idOf,
  planned,
  unknownOutputs: [],
  settle: async (properties, { report }) => {
    for (const line of await writeSettings(accessOf(properties), settingsIn(properties))) report(`was: ${line}`);
    return { outputs: { ...properties, drift: [] } };
  },
  read: async (properties, old, around) => ({ ...old, drift: (await drift(properties, around)) ?? old["drift"] }),
  isInFlight: () => false,
  remove: (properties, _old, around) => removing(around, () => removeSettings(accessOf(properties))),
};

const factsForm = object({ repository: repositoryField });

/** Who a repository is: the ids that stand in the subjects of its tokens. */
export const repositoryFacts: FunctionType = {
  token: "ballast:index:repositoryFacts",
  schema: {
    description: "Gives the ids of a repository and of its owner, which stand in the subjects of its tokens.",
    inputs: propertiesOf(factsForm),
    outputs: { properties: { fullName: { type: "string" }, id: { type: "number" }, ownerId: { type: "number" } } },
  },
  check: ({ repository }) => checkBy(factsForm)({ repository }).failures,
  invoke: async (args) => {
    const { fullName, id, ownerId } = await factsOf(accessOf(args));
    return { fullName, id, ownerId };
  },
};
