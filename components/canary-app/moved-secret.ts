// What a rotation's revision was made for. Its name has the slot and not the credential, so where several credentials
// fit it, the control plane is asked. No other preview needs it.
import * as pulumi from "@pulumi/pulumi";
import { secretOfCutOver } from "../../engines/rotation/cut-over-names.ts";
import { knownParts } from "./known-parts.ts";

/** A revision of an app, and the control plane that may have made it. */
export interface Made {
  readonly endpoint: pulumi.Input<string>;
  readonly audience: string;
  readonly resourceGroup: string;
  readonly app: string;
  readonly revision: string;
}

/** The secret to which a rotation's revision has moved, or why it is not known. */
export type Moved = { readonly secret: string } | { readonly reason: string };

/** Asks the control plane which secret a rotation's revision names. That it does not say is an answer too. */
export async function movedSecret({ endpoint: given, ...made }: Made, parent: pulumi.Resource): Promise<Moved> {
  const { endpoint } = await knownParts({ endpoint: given });
  if (typeof endpoint !== "string") return { reason: "its address is not known yet" };
  try {
    const { release, unreachable = "it knows no such rotation" } = (await pulumi.runtime.invoke(
      "ballast:index:releaseOf",
      { ...made, endpoint },
      { parent },
    )) as { readonly release?: string; readonly unreachable?: string };
    const secret = secretOfCutOver(release);
    return secret === undefined ? { reason: unreachable.replace(/\.$/, "") } : { secret };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
