// The kinds of work that the `ballast` command has a group of commands for.
import { credential } from "./credential/credential.ts";
import { release } from "./release/release.ts";
import { remediation } from "./remediation/remediation.ts";
import type { AnyWork } from "./streams/work.ts";

/** Every kind, in the order of the help. */
export const works: readonly AnyWork[] = [release, credential, remediation];
