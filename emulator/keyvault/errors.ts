// The error envelope of Key Vault's data plane: that of Resource Manager, with an inner code beside it.
import { ArmError } from "../arm/resource.ts";

/** Makes a refusal in Key Vault's form. `inner` tells errors of one code apart: SecretDisabled, ForbiddenByRbac. */
export function vaultError(
  status: number,
  code: string,
  message: string,
  inner?: string,
  headers: { readonly [name: string]: string } = {},
): ArmError {
  const error = new ArmError(status, code, message, headers);
  error.body = { error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } };
  return error;
}

/** Makes the refusal of a request that does not fit. */
export const badParameter = (message: string): ArmError => vaultError(400, "BadParameter", message);
