// Versions that today's clients send by default and whose schemas are not at hand. Bodies in such a version are held to
// the schema of another version, so that a field which is new in it is refused by name.

/** For each area, the version of the schema to which a version is held. */
export const heldTo: { readonly [area: string]: { readonly [apiVersion: string]: string } } = {
  // @azure/arm-appcontainers 4.0.0, Python's azure-mgmt-appcontainers 5.1.0
  app: { "2026-07-01": "2025-07-01" },
  // @azure/arm-authorization 9.0.0 sends 2022-04-01; the Azure CLI sends these
  authorization: { "2020-04-01-preview": "2022-04-01", "2018-01-01-preview": "2022-04-01" },
  // @azure/arm-eventgrid 14.1.0
  eventgrid: { "2022-06-15": "2025-02-15" },
  // @azure/arm-keyvault 5.0.0; the Azure CLI
  keyvault: { "2026-02-01": "2024-11-01", "2023-07-01": "2024-11-01" },
  // @azure/arm-msi 2.2.0
  managedidentity: { "2024-11-30": "2023-01-31" },
  // @azure/arm-operationalinsights 11.0.0; 9.0.0, which asks for shared keys in 2020-08-01
  operationalinsights: { "2025-07-01": "2023-09-01", "2022-10-01": "2023-09-01", "2020-08-01": "2023-09-01" },
  // @azure/arm-resources 7.0.0, Python's azure-mgmt-resource, the Azure CLI
  resources: { "2025-04-01": "2024-03-01", "2024-11-01": "2024-03-01", "2022-09-01": "2024-03-01" },
};
