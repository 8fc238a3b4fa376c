// What the components of the program refuse or warn of, mostly at preview, before anything is changed.
import { entry } from "./catalogue.ts";

const unchanged = () => "Nothing was changed. Traffic is as before.";

/** The name breaks Azure's rules. */
export const componentNameRefused = entry<{ readonly kind: string; readonly name: string; readonly rule: string }>(
  "component-name-refused",
  {
    title: "A name is not valid in Azure",
    message: ({ kind, name, rule }) => `"${name}" is not a valid ${kind} name: it must be ${rule}.`,
    fix: () => "give the component a shorter or simpler name",
    left: unchanged,
  },
);

/** A program passes values that the component cannot use; plain JavaScript has no compiler that would refuse them. */
export const argumentsRefused = entry<{
  readonly component: string;
  /** Undefined for a function, which has no name of a resource. */
  readonly name: string | undefined;
  /** The app that a function is called for, if that is known. */
  readonly app?: string | undefined;
  readonly fields: readonly string[];
  readonly complaints: readonly string[];
}>("component-arguments-refused", {
  title: "The arguments of a component are not valid",
  variants: [{ app: undefined }, { name: undefined }],
  message: ({ component, name, app, complaints }) =>
    `Invalid arguments of ${component}${name === undefined ? "" : ` "${name}"`}` +
    `${app === undefined ? "" : ` for the app "${app}"`}: ${complaints.join(" ")}`,
  fix: ({ component, name, fields }) =>
    `correct ${fields.join(", ")} in ${name === undefined ? `${component}(…)` : `new ${component}("${name}", …)`}`,
  left: unchanged,
});

/** The range cannot be divided into the two subnets. */
export const networkRangeRefused = entry<{
  readonly range: string;
  readonly why: string;
  readonly setting: string;
}>("network-range-refused", {
  title: "A network's address range is not valid",
  message: ({ range, why }) => `A network cannot have the range ${range}: ${why}.`,
  fix: ({ setting }) => `choose another range of private addresses, such as 10.40.0.0/22, for ${setting}`,
  left: unchanged,
});

/** An internal environment answers only inside a network, and this one has none. */
export const environmentWithoutInside = entry<{ readonly name: string }>("environment-without-inside", {
  title: "An internal environment has no subnet",
  message: ({ name }) =>
    `The environment ${name} is internal but has no subnet. An internal environment answers only inside a network.`,
  fix: () => "give it a subnet, such as the one that a `Network` makes, or leave `internal` out",
  left: unchanged,
});

/** A reference asks for a form in which the values are not written. */
export const credentialFormOther = entry<{ readonly name: string; readonly form: string; readonly asked: string }>(
  "credential-form-other",
  {
    title: "A credential is written in another form",
    message: ({ name, form, asked }) => `The values of "${name}" are written as ${form}, and not as ${asked}.`,
    fix: ({ asked }) => `set \`form: "${asked}"\`, or refer to the form that it has`,
    left: unchanged,
  },
);

/** Azure never moves an environment or a database to another network. */
export const networkPlaceFixed = entry<{
  readonly what: string;
  readonly live: string;
  readonly planned: string;
  readonly setting: string;
}>("network-place-fixed", {
  title: "The network of an existing resource cannot be changed",
  message: ({ what, live, planned }) =>
    `The ${what} is ${live}, but the program wants it ${planned}. Azure cannot change that.`,
  fix: ({ setting }) =>
    `restore ${setting}; to move to another network, deploy a second stack beside this one, ` +
    "as docs/guides/network.md says",
  left: unchanged,
});
