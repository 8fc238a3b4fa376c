// The schema of a `ballast:index:Release`, for `pulumi package` and for documentation, as its forms describe it.
import { resourceSchema, typesOf } from "../package-schema.ts";
import { inputsForm, outputsForm } from "./fields.ts";

/** The types that the resource uses, by token. */
export const types = typesOf(inputsForm);

/** The resource. */
export const schema = resourceSchema(
  "One release of a Container App: a canary rollout that is promoted or rolled back.",
  inputsForm,
  outputsForm,
);
