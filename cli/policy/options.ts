// The options of `ballast policy check`, as the command line gives them.
import type { Profile } from "../../policies/profiles.ts";

export const checkFormats = ["text", "json", "sarif"] as const;

export interface CheckOptions {
  readonly stack?: string;
  readonly file?: string;
  readonly program: string;
  readonly profile?: Profile;
  readonly format: (typeof checkFormats)[number];
  readonly writeBaseline?: boolean;
  readonly shrinkBaseline?: boolean;
}
