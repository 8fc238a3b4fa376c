// Reads the two large requests of the analyzer protocol straight from their bytes, with google-protobuf's own reader.
// The generated classes build an object for every value of every resource, which is most of what a pack costs; here a
// value is decoded once into the form that rules see, and what is not needed is skipped.
import analyzerProto from "@pulumi/pulumi/proto/analyzer_pb.js";
import jspb from "google-protobuf";
import { type Properties, unknown, type Value } from "../../analysis/systems/pulumi/value.ts";
import {
  outputSignature,
  sealed,
  secretSignature,
  signatureKey,
  unknownTexts,
} from "../../analysis/systems/pulumi/wire-values.ts";

type Reader = InstanceType<typeof jspb.BinaryReader>;

/** A resource of a request, with its properties still in bytes. */
export interface WireResource {
  readonly urn: string;
  readonly token: string;
  readonly ignoreChanges: readonly string[];
  readonly parent: string | undefined;
  readonly isCustom: boolean;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** Decodes the properties. */
  readonly properties: () => Properties;
}

/** What is read of a resource so far. */
interface Draft {
  urn: string;
  token: string;
  ignoreChanges: readonly string[];
  parent: string;
  isCustom: boolean;
  properties: Uint8Array<ArrayBuffer>;
  readonly dependencies: string[];
  readonly propertyDependencies: Record<string, readonly string[]>;
}

/** What to do with each field, by its number. Other fields are skipped. */
const fieldReaders: Readonly<Record<number, (draft: Draft, reader: Reader) => void>> = {
  1: (draft, reader) => {
    draft.token = reader.readString();
  },
  2: (draft, reader) => {
    draft.properties = reader.readBytes() as Uint8Array<ArrayBuffer>;
  },
  3: (draft, reader) => {
    draft.urn = reader.readString();
  },
  5: (draft, reader) => {
    const options = analyzerProto.AnalyzerResourceOptions.deserializeBinary(reader.readBytes());
    draft.ignoreChanges = options.getIgnorechangesList();
    draft.parent ||= options.getParent();
  },
  // Only a resource that a provider manages comes with its provider.
  6: (draft, reader) => {
    draft.isCustom = true;
    reader.skipField();
  },
  7: (draft, reader) => {
    draft.parent = reader.readString() || draft.parent;
  },
  8: (draft, reader) => void draft.dependencies.push(reader.readString()),
  9: (draft, reader) => {
    const [key, urns] = readDependency(reader.readBytes());
    draft.propertyDependencies[key] = urns;
  },
};

/** Reads an `AnalyzeRequest` or an `AnalyzerResource`: their first six fields are the same. */
export function readResource(bytes: Uint8Array): WireResource {
  const reader = new jspb.BinaryReader(bytes);
  const draft: Draft = {
    ...{ urn: "", token: "", ignoreChanges: [], parent: "", isCustom: false },
    ...{ properties: new Uint8Array(), dependencies: [], propertyDependencies: {} },
  };
  while (reader.nextField() && !reader.isEndGroup()) {
    const read = fieldReaders[reader.getFieldNumber()];
    if (read) read(draft, reader);
    else reader.skipField();
  }
  const { properties, parent, ...rest } = draft;
  return {
    ...rest,
    parent: parent || undefined,
    properties: () => readStruct(new jspb.BinaryReader(properties)) as Properties,
  };
}

/** Reads the resources of an `AnalyzeStackRequest`. */
export function readResources(bytes: Uint8Array): readonly WireResource[] {
  const reader = new jspb.BinaryReader(bytes);
  const resources: WireResource[] = [];
  while (reader.nextField() && !reader.isEndGroup())
    if (reader.getFieldNumber() === 1) resources.push(readResource(reader.readBytes()));
    else reader.skipField();
  return resources;
}

function readDependency(bytes: Uint8Array): readonly [key: string, urns: readonly string[]] {
  const reader = new jspb.BinaryReader(bytes);
  let key = "";
  let urns: readonly string[] = [];
  while (reader.nextField() && !reader.isEndGroup())
    if (reader.getFieldNumber() === 1) key = reader.readString();
    else if (reader.getFieldNumber() === 2)
      urns = analyzerProto.AnalyzerPropertyDependencies.deserializeBinary(reader.readBytes()).getUrnsList();
    else reader.skipField();
  return [key, urns];
}

/** Reads a `google.protobuf.Struct`, and gives the value that its signature says, if it has one. */
function readStruct(reader: Reader): Value {
  const fields: Record<string, Value> = {};
  while (reader.nextField() && !reader.isEndGroup())
    if (reader.getFieldNumber() === 1) reader.readMessage(fields, readEntry);
    else reader.skipField();
  const signature = fields[signatureKey];
  return signature === undefined ? fields : special(fields, signature);
}

function readEntry(fields: Record<string, Value>, reader: Reader): void {
  let key = "";
  let value: Value = null;
  while (reader.nextField() && !reader.isEndGroup())
    if (reader.getFieldNumber() === 1) key = reader.readString();
    else if (reader.getFieldNumber() === 2) value = within(reader, readValue);
    else reader.skipField();
  // The SDK's own keys are no properties.
  if (!key.startsWith("__")) fields[key] = value;
}

/** Reads a message that stands in the field at which the reader is. */
function within(reader: Reader, read: (inner: Reader) => Value): Value {
  const found: { value: Value } = { value: null };
  reader.readMessage(found, (into: { value: Value }, inner: Reader) => {
    into.value = read(inner);
  });
  return found.value;
}

/** Reads a `google.protobuf.Value`. */
function readValue(reader: Reader): Value {
  let value: Value = null;
  while (reader.nextField() && !reader.isEndGroup()) {
    const field = reader.getFieldNumber();
    if (field === 2) value = reader.readDouble();
    else if (field === 3) value = known(reader.readString());
    else if (field === 4) value = reader.readBool();
    else if (field === 5) value = within(reader, readStruct);
    else if (field === 6) value = within(reader, readList);
    else reader.skipField();
  }
  return value;
}

function readList(reader: Reader): Value {
  const items: Value[] = [];
  while (reader.nextField() && !reader.isEndGroup())
    if (reader.getFieldNumber() === 1) items.push(within(reader, readValue));
    else reader.skipField();
  return items;
}

const known = (text: string): Value => (text.length === 36 && unknownTexts.has(text) ? unknown : text);

/** A secret, an output, or an asset; an asset has no text that a rule could judge. */
function special(fields: Readonly<Record<string, Value>>, signature: Value): Value {
  const value = "value" in fields ? fields["value"]! : unknown;
  if (signature === secretSignature) return sealed(value);
  if (signature !== outputSignature) return null;
  return fields["secret"] === true ? sealed(value) : value;
}
