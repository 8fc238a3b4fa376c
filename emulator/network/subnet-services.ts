// What a subnet may be delegated to, and which services it may have an endpoint for. Azure asks the services; here they
// are a list, and a delegation to one that is not in it is refused by name.
import { refusedToo, unsupported } from "../arm/refusals.ts";
import type { Body } from "../arm/resource.ts";

/** Services of Azure that take over a subnet (Learn: "What is subnet delegation?"), in lower case. */
const delegates = [
  ...["microsoft.app/environments", "microsoft.containerinstance/containergroups", "microsoft.web/serverfarms"],
  ...["microsoft.dbforpostgresql/flexibleservers", "microsoft.dbformysql/flexibleservers"],
  ...["microsoft.sql/managedinstances", "microsoft.databricks/workspaces", "microsoft.netapp/volumes"],
  ...["microsoft.network/dnsresolvers", "microsoft.documentdb/cassandraclusters", "microsoft.apimanagement/service"],
  ...["microsoft.machinelearningservices/workspaces", "microsoft.batch/batchaccounts"],
  ...["microsoft.containerservice/managedclusters", "github.network/networksettings"],
];

/** Services with endpoints (Learn: "Virtual network service endpoints"), in lower case. */
const endpoints = [
  ...["microsoft.storage", "microsoft.storage.global", "microsoft.sql", "microsoft.azurecosmosdb"],
  ...["microsoft.keyvault", "microsoft.servicebus", "microsoft.eventhub", "microsoft.web"],
  ...["microsoft.cognitiveservices", "microsoft.containerregistry", "microsoft.azureactivedirectory"],
];

/** Checks the delegations, the endpoints and the two ways to give a range. @throws ArmError 400 */
export function checkServices({ delegations, serviceEndpoints, addressPrefix, addressPrefixes }: Body): void {
  const delegated: readonly Body[] = delegations ?? [];
  if (delegated.length > 1) throw refusedToo(`A subnet has one delegation at most, not ${delegated.length}.`);
  for (const { properties } of delegated) {
    const service = String(properties?.serviceName);
    if (!delegates.includes(service.toLowerCase())) throw unsupported(`the delegation of a subnet to '${service}'`);
  }
  for (const { service } of (serviceEndpoints ?? []) as Body[])
    if (!endpoints.includes(String(service).toLowerCase())) throw refusedToo(`'${service}' has no service endpoint.`);
  if (addressPrefix && addressPrefixes && !(addressPrefixes.length === 1 && addressPrefixes[0] === addressPrefix))
    throw refusedToo("A subnet has either an addressPrefix or addressPrefixes.");
}
