// Helpers for the bodies of resources, shared by the resource types: properties that are set once, comparison without
// regard to case, what is there twice, and the emulator's one region.
import { isIPv4 } from "node:net";
import type { Body, PutContext } from "./resource.ts";

/** The one region of the emulator. */
export const region = "westeurope";

/** Gives a region's name in the form that Azure compares: `westeurope` for `West Europe`. */
export const regionOf = (location: unknown): string => String(location).toLowerCase().replaceAll(" ", "");

/** Reports whether two values are equal as text, without regard to case. */
export const sameText = (one: unknown, other: unknown): boolean =>
  String(one).toLowerCase() === String(other).toLowerCase();

/** Gives the first of the texts that is there twice; undefined when all differ. */
export const firstTwiceExactly = (texts: readonly string[]): string | undefined =>
  texts.find((text, index) => texts.indexOf(text) < index);

/** Like `firstTwiceExactly`, of any values and without regard to case. It gives the value in lower case. */
export const firstTwice = (values: readonly unknown[]): string | undefined =>
  firstTwiceExactly(values.map((value) => String(value).toLowerCase()));

/** Reports whether a value is an IPv4 address, or a range of them in CIDR. */
export function isIPv4OrRange(value: unknown): boolean {
  const [address = "", bits = "32", ...more] = String(value).split("/");
  return isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32 && more.length === 0;
}

/** Sets properties that are made at the first write and never change afterwards, whatever later requests say. */
export const keep = ({ wanted, previous }: PutContext, made: () => Body): void => {
  const before = previous?.body["properties"];
  const properties = made();
  wanted["properties"] = {
    ...wanted["properties"],
    ...Object.fromEntries(Object.keys(properties).map((name) => [name, before?.[name] ?? properties[name]])),
  };
};
