// What a probe of a canary sends beside its path, and which answers mean that the canary is well.
import { type Form, list, number, type ObjectOf, object, optional, text } from "../form.ts";
import { isSecretName, secretParametersOf } from "../secret-names.ts";

const headerName = text("a header's name", { most: 100, pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" });
const headerForm = object({
  name: headerName,
  value: text("a text in one line", { least: 0, most: 1000, pattern: "^[\\x20-\\x7e]*$" }),
});

const path = text("a path: it begins with / and has no spaces", {
  most: 1024,
  pattern: "^/[\\x21-\\x7e]*$",
  description: "The path of the canary's own address that must answer well: with a status from 200 to 299.",
});

/** The path of a probe. It stands in states and journals, so a parameter of it must be no secret. */
export const probePathForm: Form<string> = {
  ...path,
  read: (given, reading) => {
    const value = path.read(given, reading);
    const secrets = reading.isStored || typeof value !== "string" ? [] : secretParametersOf(value);
    for (const name of secrets)
      reading.problems.push({
        kind: "contradiction",
        at: [],
        message: `the parameter ${name} would put a secret into the journal.`,
      });
    return value;
  },
};

/** What HTTP sets itself. */
const setByHttp = ["connection", "content-length", "host", "transfer-encoding", "upgrade"];

const probeRequestFields = {
  host: optional(
    text("a host's name", {
      most: 253,
      pattern: "^[A-Za-z0-9.-]+(:[0-9]+)?$",
      description:
        "The public host of the app, for one that redirects or refuses others. It is sent as `X-Forwarded-Host`: " +
        "Azure routes by `Host`, so another one there would reach another revision or none.",
    }),
  ),
  headers: optional(
    list(headerForm, {
      most: 20,
      description: "Headers of the request. They are stored in the journal, so none may hold a secret.",
    }),
  ),
  statuses: optional(
    list(number({ least: 100, most: 599, whole: true }), {
      least: 1,
      most: 20,
      description: "The statuses that mean that the canary is well. Absent means 200 to 299: a redirect is no answer.",
    }),
  ),
};

export const probeRequestForm = object(probeRequestFields, {
  title: "ProbeRequest",
  description: "What a probe sends beside its path, and what it expects.",
  check: ({ headers = [] }) =>
    headers.flatMap(({ name, value }) => {
      const lower = name.toLowerCase();
      if (setByHttp.includes(lower)) return [`The header ${name} cannot be set; for the app's host there is \`host\`.`];
      return isSecretName(lower) || /^(basic|bearer) /i.test(value)
        ? [`The header ${name} would put a secret into the journal.`]
        : [];
    }),
});

/** What a probe sends beside its path, and what it expects. */
export interface ProbeRequest extends ObjectOf<typeof probeRequestFields> {}
