// Every field of Microsoft.App/managedEnvironments and of its storages and certificates, as data: what the emulator
// does with it. What the classes mean is in arm/field-classes.ts.
import { alike, commonFields, type FieldClasses, neverShown } from "../../arm/field-classes.ts";

const logs = "properties.appLogsConfiguration";
const domain = "properties.customDomainConfiguration";
const network = "properties.vnetConfiguration";
const profile = "properties.workloadProfiles[]";

/** The classes of the fields of an environment. */
export const environmentFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "the emulator's one region",
    tags: "kept and shown",
    "identity.principalId": "the system-assigned identity's, usable in role assignments",
    "identity.tenantId": "the one directory of the emulator",
    "identity.type": "a system-assigned identity is made, user-assigned ones are assigned",
    "identity.userAssignedIdentities": "existing ones only, shown with their ids",
    "properties.provisioningState": "read-only",
    "properties.defaultDomain": "read-only; the domain of its apps",
    "properties.staticIp": "read-only",
    "properties.eventStreamEndpoint": "read-only; the address of its apps' events, as a stream",
    [`${domain}.customDomainVerificationId`]: "read-only",
    [`${network}.internal`]: "needs a subnet, and never changes",
    [`${network}.infrastructureSubnetId`]: "a delegated subnet of this cloud, which never changes",
  },
  validated: {
    "properties.infrastructureResourceGroup":
      "a name that no resource group and no other environment has, which never changes; there is no infrastructure",
    [`${logs}.destination`]: "azure-monitor, log-analytics or none; rows go where diagnostic settings say",
    [`${logs}.logAnalyticsConfiguration.customerId`]:
      "a workspace of this cloud; its tables that end in _CL are refused by name",
    [`${logs}.logAnalyticsConfiguration.sharedKey`]: "must be given, and is never shown",
    "properties.zoneRedundant": "needs a subnet; processes have no zones",
    [`${profile}.name`]: "unique; apps name it",
    [`${profile}.workloadProfileType`]: "one of Azure's; decides which sizes an app may have",
    [`${profile}.minimumCount`]: "at most the maximum, and none for Consumption; there are no nodes",
    [`${profile}.maximumCount`]: "at least the minimum, and none for Consumption; there are no nodes",
  },
  inert: {
    "properties.daprAIInstrumentationKey": "there is no Dapr sidecar",
    "properties.daprAIConnectionString": "there is no Dapr sidecar",
    ...alike(
      "Azure ignores it too",
      ...["dockerBridgeCidr", "platformReservedCidr"].map((name) => `${network}.${name}`),
    ),
    [`${network}.platformReservedDnsIP`]: "Azure ignores it too",
    "properties.peerAuthentication": "apps reach one another by TLS of the ingress alone",
    "properties.peerTrafficConfiguration": "apps reach one another by TLS of the ingress alone",
    "properties.publicNetworkAccess": "the emulator is on loopback only",
    "properties.availabilityZones": "processes have no zones",
    [`${profile}.enableFips`]: "there are no nodes",
  },
  unsupported: {
    kind: { why: "environments of another kind" },
    [`${domain}.dnsSuffix`]: { why: "custom DNS suffixes of environments" },
    [`${domain}.certificateKeyVaultProperties`]: { why: "custom DNS suffixes of environments" },
    [`${domain}.certificateValue`]: { why: "custom DNS suffixes of environments" },
    [`${domain}.certificatePassword`]: { why: "custom DNS suffixes of environments" },
    ...alike(neverShown, ...["expirationDate", "thumbprint", "subjectName"].map((name) => `${domain}.${name}`)),
    [`${logs}.logAnalyticsConfiguration.dynamicJsonColumns`]: { why: "logs as JSON columns", harmless: [false] },
    "properties.appInsightsConfiguration": { why: "the OpenTelemetry agent of environments" },
    "properties.openTelemetryConfiguration": { why: "the OpenTelemetry agent of environments", harmless: [false] },
    "properties.ingressConfiguration": { why: "settings of an environment's ingress" },
    "properties.diskEncryptionConfiguration": { why: "customer-managed keys of environments" },
    ...alike(
      neverShown,
      ...["deploymentErrors", "kedaConfiguration", "daprConfiguration"].map((name) => `properties.${name}`),
      ...["privateLinkDefaultDomain", "privateEndpointConnections"].map((name) => `properties.${name}`),
    ),
  },
  ranges: {
    [`${profile}.minimumCount`]: [0, 1000],
    [`${profile}.maximumCount`]: [0, 1000],
  },
};

/** The classes of the fields of a storage of an environment. */
export const storageFields: FieldClasses = {
  modelled: {
    ...commonFields,
    "properties.azureFile.shareName": "a folder of this name is not asked for; the storage itself is the folder",
  },
  validated: {
    "properties.azureFile.accountName": "3 to 24 lower case letters and digits; nobody is asked for the account",
    "properties.azureFile.accountKey": "must be given, and is never shown",
    "properties.azureFile.accessMode": "ReadOnly or ReadWrite; not enforced",
  },
  inert: {},
  unsupported: {
    "properties.nfsAzureFile": { why: "storages on NFS" },
    "properties.azureFile.accountKeyVaultProperties": { why: "storages whose key is in a vault" },
  },
};

/** The classes of the fields of a certificate of an environment. */
export const certificateFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "never changes",
    tags: "kept and shown",
    "properties.provisioningState": "read-only",
    "properties.value": "PFX or PEM, which is read; never shown",
    "properties.password": "opens it; never shown",
    ...alike(
      "read-only; read from the certificate",
      ...["subjectName", "subjectAlternativeNames", "issuer", "issueDate", "expirationDate", "thumbprint", "valid"].map(
        (name) => `properties.${name}`,
      ),
      "properties.publicKeyHash",
    ),
  },
  validated: {},
  inert: {},
  unsupported: {
    "properties.certificateKeyVaultProperties": { why: "certificates in a vault" },
    "properties.certificateType": { why: "certificates of registries", harmless: ["ServerSSLCertificate"] },
    "properties.deploymentErrors": neverShown,
  },
};
