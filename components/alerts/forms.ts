// The forms of the arguments of the components of alerts.
import { type Form, flag, list, number, object, oneOf, optional, partial, text } from "../../engines/form.ts";
import { declaredRungForm } from "../../engines/remediation/declaration.ts";
import {
  objectionsToObjective,
  objectiveFields,
  objectiveForm,
} from "../../engines/remediation/objectives/objective.ts";
import { limitsForm, verificationForm } from "../../engines/remediation/policy.ts";
import { input, parts, plain } from "../arguments.ts";
import { appName, place, word } from "../shared-forms.ts";
import { type BaselineId, baselineIds } from "./baseline.ts";
import { objectionsToQuery } from "./query.ts";
import { budgetClasses } from "./remedy.ts";

/** One of a few numbers. */
const oneOfNumbers = (numbers: readonly number[]): Form<number> => ({
  schema: { type: "integer", enum: numbers },
  read: (given, { problems }) => {
    if (!numbers.includes(given as number))
      problems.push({ kind: "shape", at: [], expected: `one of ${numbers.join(", ")}`, found: given });
    return given as number;
  },
});

/** Who is called, and by which page. */
const answered = { actionGroupIds: input(list(input(word), { least: 1 })), owner: plain(word), runbook: plain(word) };

/** The other limits follow from the rule and from the budget class. */
const { lookBackSeconds: _lookBack, actBelowPercent: _actBelow, ...ownLimits } = limitsForm.fields;

const remedy = plain(
  object({
    ladder: list(declaredRungForm, { least: 1, most: 5 }),
    verification: partial(verificationForm),
    budget: optional(oneOf(Object.keys(budgetClasses) as (keyof typeof budgetClasses)[])),
    limits: optional(partial(object(ownLimits))),
  }),
);

const { target: _target, ticket: _ticket, ...promiseFields } = objectiveFields;
const serviceObjectives = object({
  ...place,
  ...answered,
  workspaceId: input(word),
  app: plain(appName),
  objectives: plain(list(object(promiseFields, { check: objectionsToObjective }), { least: 1, most: 2 })),
  silentMinutes: optional(plain(oneOfNumbers([0, 30, 60, 120, 180, 240, 300, 360]))),
  remedy: optional(remedy),
});

const remediatedAlert = object(
  {
    ...place,
    ...answered,
    workspaceId: input(word),
    title: input(word),
    means: input(word),
    query: plain(word),
    dimension: plain(word),
    threshold: optional(plain(number({ least: 0, whole: true }))),
    severity: plain(number({ least: 0, most: 4, whole: true })),
    windowMinutes: plain(oneOfNumbers([5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880])),
    trace: optional(input(text("a text", { least: 0 }))),
    everyMinutes: optional(plain(oneOfNumbers([1, 5, 10, 15, 30, 45, 60]))),
    targets: plain(list(word, { least: 1 })),
    remedy,
  },
  { check: objectionsToQuery },
);

const thresholds = object(
  Object.fromEntries(baselineIds.map((id) => [id, optional(number())])) as Record<
    BaselineId,
    ReturnType<typeof optional<number>>
  >,
);
const watchedFields = { id: input(word), name: plain(appName) };
const watched = parts(list(parts(object(watchedFields))));

const baselineAlerts = object({
  scope: place.scope,
  resourceGroupName: place.resourceGroupName,
  ...answered,
  apps: optional(
    parts(
      list(
        parts(
          object({
            ...watchedFields,
            cpu: plain(number({ above: 0, most: 64 })),
            memoryGib: plain(number({ above: 0, most: 512 })),
            scalesToZero: optional(plain(flag())),
          }),
        ),
      ),
    ),
  ),
  databases: optional(parts(list(parts(object({ ...watchedFields, sku: plain(word) }))))),
  vaults: optional(watched),
  topics: optional(watched),
  thresholds: optional(plain(thresholds)),
  leaveOut: optional(plain(list(oneOf(baselineIds)))),
});

const serviceWorkbook = object({
  ...place,
  workspaceId: input(word),
  app: plain(appName),
  runbook: plain(word),
  objectives: optional(plain(list(objectiveForm, { most: 2 }))),
});

/** The forms by the name of the component. */
export const alertForms = {
  BaselineAlerts: baselineAlerts,
  RemediatedAlert: remediatedAlert,
  ServiceObjectives: serviceObjectives,
  ServiceWorkbook: serviceWorkbook,
} as const;
