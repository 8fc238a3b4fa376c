// What a program leaves out of a declaration stays out of it: the control plane gives the default.

/** Leaves out what is not given. */
export const present = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
