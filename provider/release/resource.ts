// The resource `ballast:index:Release` as the provider's frame sees it.
import { controlPlane } from "../../client/control-plane.ts";
import { releaseUnmanaged } from "../../errors/provider.ts";
import { type Around, isUnknown, type Properties, type ResourceType } from "../resource-type.ts";
import type { ReleaseInputs } from "./fields.ts";
import { cautions, check, diff, refuses } from "./inputs.ts";
import { refusalOf } from "./managed.ts";
import { carryOut, lookUp, planned, type Surroundings, withdraw } from "./release.ts";
import { schema, types } from "./schema.ts";

const surroundings = ({ access, ...around }: Around): Surroundings => ({
  ...around,
  controlPlane: controlPlane(access),
});
const asInputs = (inputs: Properties): ReleaseInputs => inputs as unknown as ReleaseInputs;

/** One release of a container app. */
export const release: ResourceType = {
  token: "ballast:index:Release",
  hasControlPlane: true,
  types,
  schema,
  check,
  diff,
  cautions,
  refuses,
  idOf: ({ resourceGroup, app }) => `${resourceGroup}/${app}`.toLowerCase(),
  planned: async (inputs, { access, warn }, oldOutputs) => {
    // An app that was released before is managed, so that most previews need no token.
    const isFirst = oldOutputs === undefined && !isUnknown([inputs["resourceGroup"], inputs["app"]]);
    if (access && isFirst) {
      const { resourceGroup, app } = asInputs(inputs);
      const refused = await refusalOf(controlPlane(access), { resourceGroup, app });
      if (refused) warn(releaseUnmanaged({ endpoint: access.endpoint, resourceGroup, app }).toString());
    }
    return planned(inputs);
  },
  unknownOutputs: ["result", "reason", "message", "trace"],
  settle: async (inputs, around) => {
    const { outputs, failure } = await carryOut(asInputs(inputs), surroundings(around));
    return { outputs: { ...outputs }, ...(failure === undefined ? {} : { failure }) };
  },
  read: (inputs, outputs, around) => lookUp(inputs, outputs, surroundings(around)),
  isInFlight: ({ result }) => result === "in-flight",
  // The revision that was released last is in the outputs: after a failed update the inputs are older.
  remove: (inputs, outputs, around) =>
    withdraw(asInputs({ ...outputs, ...inputs, revision: outputs["revision"] }), surroundings(around)),
};
