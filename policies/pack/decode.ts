// Decodes what the Pulumi CLI sends about a resource: properties with their secrets sealed and unknowns kept, options,
// dependencies. Each value is decoded once, straight from protobuf, because that is most of what a pack costs.
import type analyzerProto from "@pulumi/pulumi/proto/analyzer_pb.js";
import structProto, { type Struct, type Value as WireValue } from "google-protobuf/google/protobuf/struct_pb.js";
import { type Place, structural } from "../../analysis/place.ts";
import type { Declared } from "../../analysis/systems/pulumi/nodes.ts";
import { type Properties, unknown, type Value } from "../../analysis/systems/pulumi/value.ts";
import {
  outputSignature,
  sealed,
  secretSignature,
  signatureKey,
  unknownTexts,
} from "../../analysis/systems/pulumi/wire-values.ts";

const { KindCase } = structProto.Value;

/** Gives the properties of a resource. */
export function propertiesOf(struct: Struct | undefined): Properties {
  return struct === undefined ? {} : (fieldsOf(struct) as Properties);
}

function valueOf(wire: WireValue): Value {
  switch (wire.getKindCase()) {
    case KindCase.STRING_VALUE: {
      const text = wire.getStringValue();
      return unknownTexts.has(text) ? unknown : text;
    }
    case KindCase.NUMBER_VALUE:
      return wire.getNumberValue();
    case KindCase.BOOL_VALUE:
      return wire.getBoolValue();
    case KindCase.LIST_VALUE:
      return wire.getListValue()!.getValuesList().map(valueOf);
    case KindCase.STRUCT_VALUE:
      return special(wire.getStructValue()!) ?? fieldsOf(wire.getStructValue()!);
    default:
      return null;
  }
}

function fieldsOf(struct: Struct): Value {
  const fields: Record<string, Value> = {};
  struct.getFieldsMap().forEach((value: WireValue, key: string) => {
    if (!key.startsWith("__")) fields[key] = valueOf(value);
  });
  return fields;
}

/** Gives the value of an object with a signature; undefined if it has none. An asset has no text and becomes null. */
function special(struct: Struct): Value | undefined {
  const fields = struct.getFieldsMap();
  const signature = fields.get(signatureKey)?.getStringValue();
  if (signature === undefined) return undefined;
  const inner = fields.get("value");
  if (signature === secretSignature) return inner === undefined ? unknown : sealed(valueOf(inner));
  if (signature !== outputSignature) return null;
  const value = inner === undefined ? unknown : valueOf(inner);
  return fields.get("secret")?.getBoolValue() === true ? sealed(value) : value;
}

/** What a resource is before the whole stack is known. */
export type Analyzed = Omit<Declared, "dependencies" | "propertyDependencies">;

/** Reads a request about one resource. Its properties are its inputs. */
export function analyzedOf(
  request: analyzerProto.AnalyzeRequest | analyzerProto.AnalyzerResource,
  place: Place,
): Analyzed {
  const options = request.getOptions();
  const parent = options?.getParent();
  return {
    urn: request.getUrn(),
    token: request.getType(),
    isCustom: request.getProvider() !== undefined,
    ...(parent && { parent }),
    ignoreChanges: options?.getIgnorechangesList() ?? [],
    inputs: propertiesOf(request.getProperties()),
    evidence: structural(place),
  };
}

/** Gives what a resource waits for. */
export function dependenciesOf(
  resource: analyzerProto.AnalyzerResource,
): Pick<Declared, "dependencies" | "propertyDependencies"> {
  const byProperty: Record<string, readonly string[]> = {};
  resource.getPropertydependenciesMap().forEach((urns: analyzerProto.AnalyzerPropertyDependencies, key: string) => {
    byProperty[key] = urns.getUrnsList();
  });
  return { dependencies: resource.getDependenciesList(), propertyDependencies: byProperty };
}
