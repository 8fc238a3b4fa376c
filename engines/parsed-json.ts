// Reads JSON that others have written: an answer, a variable. What is no JSON is read as nothing, which the form of the
// value then refuses with a message of its own.

/** Gives the value of a JSON text; undefined if it is no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
