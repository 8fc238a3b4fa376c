// Helpers for the bodies of resources, shared by the resource types: properties that are set once, comparison without
// regard to case, and the emulator's one region.
import type { Body, PutContext } from "./resource.ts";

/** The one region of the emulator. */
export const region = "westeurope";

/** Gives a region's name in the form that Azure compares: `westeurope` for `West Europe`. */
export const regionOf = (location: unknown): string => String(location).toLowerCase().replaceAll(" ", "");

/** Reports whether two values are equal as text, without regard to case. */
export const sameText = (one: unknown, other: unknown): boolean =>
  String(one).toLowerCase() === String(other).toLowerCase();

/** Sets properties that are made at the first write and never change afterwards, whatever later requests say. */
export const keep = ({ wanted, previous }: PutContext, made: () => Body): void => {
  const before = previous?.body["properties"];
  const properties = made();
  wanted["properties"] = {
    ...wanted["properties"],
    ...Object.fromEntries(Object.keys(properties).map((name) => [name, before?.[name] ?? properties[name]])),
  };
};
