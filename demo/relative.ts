// Paths as the demo prints them.
import path from "node:path";

/** Gives a path as a person types it in the folder in which the demo was started. */
export const relative = (file: string): string => path.relative(process.cwd(), file);
