// The schema of a `ballast:index:Release`, for `pulumi package` and for documentation, as its forms describe it.
import { propertiesOf, typesOf } from "../package-schema.ts";
import { inputsForm, outputsForm } from "./fields.ts";

const inputs = propertiesOf(inputsForm);
const outputs = propertiesOf(outputsForm);

/** The types that the resource uses, by token. */
export const types = typesOf(inputsForm);

/** The resource. */
export const schema = {
  description: "One release of a Container App: a canary rollout that is promoted or rolled back.",
  inputProperties: inputs.properties,
  requiredInputs: inputs.required,
  properties: { ...inputs.properties, ...outputs.properties },
  required: [...inputs.required, ...outputs.required],
};
