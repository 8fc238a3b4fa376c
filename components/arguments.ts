// How a component reads its arguments before it declares anything. Plain JavaScript has no type checker, and Azure
// refuses a wrong value only minutes later, without the name of the argument. So every argument has a form
// (argument-forms.ts). What is known is checked at once; an output is checked when its value is known.
import * as pulumi from "@pulumi/pulumi";
import {
  dictionary,
  type Fields,
  type Form,
  lineOf,
  type OptionalForm,
  object,
  optional,
  read,
} from "../engines/form.ts";
import { complaintOf, complaintWithValue, type Place, type Problem, pathOf } from "../engines/problem.ts";
import type { Schema } from "../engines/schema.ts";
import { argumentsRefused } from "../errors/components.ts";
import { refusal, usesMocks } from "./conventions.ts";

/** The form of an argument that every program must give. */
export type Needed<Value> = Form<Value> & { readonly mayBeAbsent?: never };

/** A form for each argument, and no others. An argument is optional exactly if its form says so. */
export type FormsOf<Args> = {
  readonly [Name in keyof Args]-?: undefined extends Args[Name] ? OptionalForm<unknown> : Needed<unknown>;
};

/** An output or a promise whose value is checked later, with what its value must be. */
class Deferred {
  readonly given: unknown;
  readonly form: Form<unknown>;

  constructor(given: unknown, form: Form<unknown>) {
    this.given = given;
    this.form = form;
  }
}

/** Reports whether a value comes later. */
export const isOutput = (given: unknown): boolean => pulumi.Output.isInstance(given) || given instanceof Promise;

/** Finds the first output in a value. Values may refer to themselves. */
function outputIn(given: unknown, at: Place = [], seen = new Set<unknown>()): Place | undefined {
  if (isOutput(given)) return at;
  if (typeof given !== "object" || given === null || seen.has(given)) return undefined;
  seen.add(given);
  for (const [name, each] of Object.entries(given)) {
    const found = outputIn(each, [...at, Array.isArray(given) ? Number(name) : name], seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

const unknownAtPreview = "it is an output or a promise, but a preview must know it; pass a plain value.";

const knownIf =
  (unknownIn: (given: unknown) => Place | undefined) =>
  <Value>({ mayBeAbsent: _, ...form }: Form<Value>): Needed<Value> => ({
    ...form,
    read: (given, reading) => {
      const at = unknownIn(given);
      if (at === undefined) return form.read(given, reading);
      reading.problems.push({ ...objection(unknownAtPreview), at });
      return given as Value;
    },
  });

/** An argument that must be known at preview, with all its parts. */
export const plain = knownIf((given) => outputIn(given));

/** An argument that must be known at preview, of which a part may be an output. */
export const parts = knownIf((given) => (isOutput(given) ? [] : undefined));

/** An argument that may be an output or a promise. */
export const input = <Value>({ mayBeAbsent: _, ...form }: Form<Value>): Needed<Value> => ({
  ...form,
  read: (given, reading) => (isOutput(given) ? (new Deferred(given, form) as Value) : form.read(given, reading)),
});

/** An input of azure-native's own, which may be an output without a value: it is then as if it were left out. */
export const native = <Value>(form: Form<Value>): OptionalForm<Value> => {
  const mayBeNothing = optional(form);
  return {
    ...mayBeNothing,
    read: (given, reading) =>
      isOutput(given) ? (new Deferred(given, mayBeNothing) as Value) : form.read(given, reading),
  };
};

/** An object of any fields, which azure-native checks itself. */
export const anObject: Form<object> = {
  schema: { type: "object" },
  read: (given, { problems }) => {
    if (Object.prototype.toString.call(given) !== "[object Object]")
      problems.push({ kind: "shape", at: [], expected: "an object", found: given });
    return given as object;
  },
};

/** An object of inputs. The whole may be an output too, such as one of another stack. */
export function inputs(fields: Fields): Needed<object> {
  const { mayBeAbsent: _, ...form } = object(fields);
  return {
    ...form,
    read: (given, reading) => {
      if (!isOutput(given)) return form.read(given, reading);
      // biome-ignore lint/suspicious/noExplicitAny: what it holds is checked when it is known.
      const whole = pulumi.output(given as pulumi.Input<any>);
      const each = Object.entries(fields).map(([name, field]) => {
        const part = whole.apply((value: Readonly<Record<string, unknown>> | undefined) => value?.[name]);
        return [name, new Deferred(part, field)] as const;
      });
      return Object.fromEntries(each);
    },
  };
}

/** Values by names of a certain form. */
export const named = <Value>(form: Form<Value>, nameForm: Form<string>): Needed<Readonly<Record<string, Value>>> => {
  const { mayBeAbsent: _, ...values } = dictionary(form);
  return {
    ...values,
    read: (given, reading) => {
      if (isOutput(given)) return plain(values).read(given, reading);
      const complain = mayHoldSecret(form.schema) ? complaintOf : complaintWithValue;
      for (const name of isNameless(given) ? [] : Object.keys(Object(given)))
        for (const complaint of complaintsOf(nameForm, name, complain))
          reading.problems.push(objection(`a name in it ${complaint.replace(/^the value /, "")}`));
      return values.read(given, reading);
    },
  };
};

/** Reports whether a value has no names of its own, such as a text, whose places are not names. */
const isNameless = (given: unknown): boolean => typeof given === "string" || Array.isArray(given);

/** An argument that is a secret: no message may repeat its value, and no state may hold it in plain text. */
export const hidden = <Value>(form: Form<Value>): Needed<Value> => {
  const { schema, ...rest } = unrepeated(form);
  return { ...rest, schema: { ...schema, writeOnly: true } };
};

/** An argument in which a program may write a secret by mistake: no message may repeat its value. */
export const unrepeated = <Value>({ mayBeAbsent: _, ...form }: Form<Value>): Needed<Value> => ({
  ...form,
  read: (given, reading) => {
    const { problems } = reading;
    const before = problems.length;
    const value = form.read(given, reading);
    for (const [place, problem] of problems.entries())
      if (place >= before && "expected" in problem)
        problems[place] = { ...objection(`it must be ${problem.expected}.`), at: problem.at };
    return value;
  },
});

/** An argument of which only the types and the names are checked; its limits are checked with its defaults. */
export const typed = <Value>({ mayBeAbsent: _, ...form }: Form<Value>): Needed<Value> => ({
  ...form,
  read: (given, reading) => {
    const problems: Problem[] = [];
    const value = form.read(given, { ...reading, problems });
    reading.problems.push(...problems.filter(({ kind }) => kind !== "limit"));
    return value;
  },
});

const objection = (message: string): Problem => ({ kind: "contradiction", at: [], message });

function complaintsOf(form: Form<unknown>, given: unknown, complain: (problem: Problem) => string): readonly string[] {
  const parsed = read(form, given);
  return "problems" in parsed ? parsed.problems.map(complain) : [];
}

/**
 * Reports whether the value at a place is a secret, is part of one, or may have one in it. A text in the place of an
 * object with a password may be that password.
 */
function mayHoldSecret({ writeOnly, properties, items, additionalProperties }: Schema, at: Place = []): boolean {
  if (writeOnly === true) return true;
  const [step, ...rest] = at;
  const fields = (properties ?? {}) as Readonly<Record<string, Schema>>;
  const within = [...Object.values(fields), items, additionalProperties].filter(isSchema);
  if (step === undefined) return within.some((each) => mayHoldSecret(each));
  const next = typeof step === "number" ? items : (fields[step] ?? additionalProperties);
  return isSchema(next) && mayHoldSecret(next, rest);
}

const isSchema = (value: unknown): value is Schema => typeof value === "object" && value !== null;

/** The form of all arguments: one of each argument, and none beside them. */
type WholeForm<Args, Forms extends FormsOf<Args>> = Form<object> & {
  readonly fields: Forms & Record<Exclude<keyof Forms, keyof Args>, never>;
};

/**
 * Checks a component's name and arguments, and returns the arguments.
 *
 * Call it before anything is registered, and use only what it returns: outputs in it fail with the same error if their
 * values are wrong.
 *
 * @throws component-arguments-refused
 */
export function readArguments<Args extends object, Forms extends FormsOf<Args>>(
  component: string,
  name: string,
  form: WholeForm<Args, Forms>,
  given: Args,
): Args {
  if (typeof name !== "string" || name === "") {
    const complaints = [`The first argument is the component's name, which must be a text that is not empty.`];
    throw refusal(argumentsRefused({ component, name: "", fields: ["the name"], complaints }));
  }
  return readWhole(component, name, form, given);
}

/**
 * Checks the arguments of a function, which has no name of a resource.
 *
 * @throws component-arguments-refused
 */
export const readFunctionArguments = <Args extends object, Forms extends FormsOf<Args>>(
  of: string,
  form: WholeForm<Args, Forms>,
  given: Args,
): Args => readWhole(of, undefined, form, given);

function readWhole<Args extends object>(
  component: string,
  name: string | undefined,
  form: Form<object>,
  given: Args,
): Args {
  const parsed = read(form, given);
  const asker = { component, name, app: name === undefined ? appIn(given) : undefined, schema: form.schema };
  if (!("value" in parsed)) throw refused(asker, parsed.problems);
  return checkedLater(parsed.value, [], (later) => refused(asker, later)) as Args;
}

/** Refuses arguments of a component for problems that their forms do not see. @throws component-arguments-refused */
export function refuseProblems(component: string, name: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw refused({ component, name, app: undefined, schema: {} }, problems);
}

/** What is refused: a component by its name, or a function by the app that it is called for. */
interface Asker {
  readonly component: string;
  readonly name: string | undefined;
  readonly app: string | undefined;
  /** Says which arguments are secrets. */
  readonly schema: Schema;
}

/** Gives the name of the app that arguments are about, if it is a plain text. */
export function appIn(given: unknown): string | undefined {
  const name = (given as { readonly containerAppName?: unknown } | null | undefined)?.containerAppName;
  return typeof name === "string" && name !== "" ? lineOf(name, 60) : undefined;
}

function refused({ component, name, app, schema }: Asker, problems: readonly Problem[]): unknown {
  const fields = problems.flatMap((problem) => fieldsOf(problem));
  const complaints = problems.map((problem) => {
    const complain = mayHoldSecret(schema, problem.at) ? complaintOf : complaintWithValue;
    return complain(problem).replace(/^the value /, "The object ");
  });
  return refusal(argumentsRefused({ component, name, app, fields: [...new Set(fields)], complaints }));
}

/** Names what must be corrected: an argument by its path. */
function fieldsOf(problem: Problem): readonly string[] {
  if (problem.kind === "unknown") return problem.names.map((name) => pathOf([...problem.at, name]));
  return [pathOf(problem.at) || "the arguments"];
}

/** Puts a checked output in the place of each one that was not known yet. */
function checkedLater(value: unknown, at: Place, refuse: (problems: readonly Problem[]) => unknown): unknown {
  if (value instanceof Deferred) return checked(value, at, refuse);
  if (Array.isArray(value)) return value.map((each, place) => checkedLater(each, [...at, place], refuse));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, checkedLater(each, [...at, name], refuse)]),
  );
}

function checked(
  { given, form }: Deferred,
  at: Place,
  refuse: (problems: readonly Problem[]) => unknown,
): pulumi.Output<unknown> {
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is checked here.
  return pulumi.output(given as pulumi.Input<any>).apply((value: unknown) => {
    if (value === undefined) {
      // Mocks know nothing of what Azure fills in.
      if (form.mayBeAbsent || usesMocks()) return value;
      throw refuse([{ ...objection("it is an output without a value."), at }]);
    }
    const parsed = read(form, value);
    if ("value" in parsed) return value;
    throw refuse(parsed.problems.map((problem) => ({ ...problem, at: [...at, ...problem.at] })));
  });
}
