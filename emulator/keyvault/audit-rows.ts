// The table AZKVAuditLogs: one row for each request to a vault, for the workspaces that the vault's diagnostic settings
// name. Values of secrets are in no row.
import { STATUS_CODES } from "node:http";
import type { Cloud, Resource } from "../arm/resource.ts";
import type { Principal } from "../authorization/tokens.ts";
import { addPlatformRow, columnsOf, type PlatformTable } from "../operationalinsights/platform-rows.ts";

/** The table, with the columns that the emulator fills. */
export const auditTable: PlatformTable = {
  name: "AZKVAuditLogs",
  category: "auditevent",
  isDedicated: true,
  columns: columnsOf(
    "OperationName OperationVersion ResultType ResultSignature HttpStatusCode:int DurationMs:int CallerIpAddress " +
      "CorrelationId Id RequestUri Identity:dynamic ClientInfo IsRbacAuthorized:bool",
  ),
};

/** One request to a vault, as it ended. */
export interface Audited {
  readonly operation: string;
  readonly apiVersion: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly requestId: string;
  readonly url: string;
  readonly userAgent: string;
  /** The id of the secret that it was about, or an empty text. */
  readonly secretId: string;
  readonly principal: Principal | undefined;
}

/** Writes the row of a request. */
export const audit = (cloud: Cloud, vault: Resource, asked: Audited): void =>
  addPlatformRow(cloud, auditTable, vault.id, {
    OperationName: asked.operation,
    OperationVersion: asked.apiVersion,
    ResultType: asked.status < 400 ? "Success" : "Failed",
    ResultSignature: STATUS_CODES[asked.status] ?? String(asked.status),
    HttpStatusCode: asked.status,
    DurationMs: asked.milliseconds,
    CallerIpAddress: "127.0.0.1",
    CorrelationId: asked.requestId,
    Id: asked.secretId,
    RequestUri: asked.url,
    Identity: JSON.stringify(
      asked.principal ? { claim: { oid: asked.principal.objectId, appid: asked.principal.clientId } } : {},
    ),
    ClientInfo: asked.userAgent,
    IsRbacAuthorized: asked.status !== 403 && asked.status !== 401,
  });
