// Makes what rules judge of what the Pulumi CLI sends: a resource alone, when it is analysed, and a resource of the
// whole stack, with what it depends on.
import { type Place, structural } from "../../analysis/place.ts";
import type { Declared } from "../../analysis/systems/pulumi/nodes.ts";
import type { WireResource } from "./wire.ts";

/** What a resource is before the whole stack is known. */
export type Analyzed = Omit<Declared, "dependencies" | "propertyDependencies">;

/** Gives a resource alone. Its properties are its inputs. */
export const analyzedOf = (resource: WireResource, place: Place): Analyzed => ({
  ...headOf(resource, place),
  inputs: resource.properties(),
});

/** Gives a resource of a stack. Properties are decoded only if nothing is known of them yet. */
export const declaredOf = (resource: WireResource, place: Place, isKnown: boolean): Declared => ({
  ...headOf(resource, place),
  dependencies: resource.dependencies,
  propertyDependencies: resource.propertyDependencies,
  inputs: isKnown ? {} : resource.properties(),
});

const headOf = ({ urn, token, isCustom, parent, ignoreChanges }: WireResource, place: Place) => ({
  ...{ urn, token, isCustom, parent, ignoreChanges },
  evidence: structural(place),
});
