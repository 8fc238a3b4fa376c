// Where a child of a component was before, if an alias names the component otherwise. Pulumi sees to that for the names
// that the child has now; an alias of its own names the component as it is called now.
import * as pulumi from "@pulumi/pulumi";

/** What the SDK keeps of a resource and does not declare. */
interface Kept {
  readonly __name?: string;
  readonly __pulumiType?: string;
  readonly __parentResource?: pulumi.Resource;
  readonly __aliases?: readonly pulumi.Input<pulumi.URN>[];
}

/** A place in a program. */
interface Place {
  readonly name: pulumi.Input<string>;
  readonly parent: pulumi.Input<pulumi.URN>;
}

/** Gives the places that a child of this name had below a component. Its name may begin with that of the component. */
export function formerPlaces(name: string, parent: pulumi.Resource | undefined): readonly Place[] {
  const { __name: own = "" } = (parent ?? {}) as Kept;
  return formerUrns(parent).map((urn) => ({
    name: name.startsWith(own)
      ? pulumi.output(urn).apply((each) => each.slice(each.lastIndexOf("::") + 2) + name.slice(own.length))
      : name,
    parent: urn,
  }));
}

/** Gives the URNs that a component had before, by aliases of its own and of the components around it. */
function formerUrns(resource: pulumi.Resource | undefined): readonly pulumi.Input<pulumi.URN>[] {
  const { __name: name, __pulumiType: type, __parentResource: outer, __aliases: own = [] } = (resource ?? {}) as Kept;
  if (name === undefined || type === undefined) return own;
  return [...own, ...formerPlaces(name, outer).map((place) => pulumi.createUrn(place.name, type, place.parent))];
}
