// Every field of the served types of Microsoft.Network, and what the emulator does with it. Networks route nothing and
// zones resolve nothing, so that a field that would route or resolve is refused instead of being kept in silence.
import {
  alike,
  commonFields,
  type FieldClasses,
  neverShown,
  numberMax,
  trackedFields,
  type UnsupportedField,
} from "../arm/field-classes.ts";

const { apiVersion, id, name, type } = commonFields;
const ofOthers: UnsupportedField = { why: "network resources that this cloud does not have" };
const below = (prefix: string, ...names: readonly string[]): readonly string[] => names.map((each) => prefix + each);

/** The classes of the fields of a virtual network. */
export const virtualNetworkFields: FieldClasses = {
  modelled: {
    ...trackedFields,
    "properties.addressSpace.addressPrefixes": "ranges in CIDR; subnets must be within",
    "properties.provisioningState": "read-only",
    "properties.subnets": "shown; subnets are created as resources of their own, and refused by name here",
  },
  validated: {},
  inert: {
    "properties.dhcpOptions": "nothing is resolved",
    "properties.flowTimeoutInMinutes": "nothing is routed",
    "properties.enableDdosProtection": "nothing is routed",
    "properties.enableVmProtection": "nothing is routed",
    "properties.privateEndpointVNetPolicies": "there are no private endpoints",
  },
  unsupported: {
    ...alike(
      ofOthers,
      "extendedLocation",
      ...below(
        "properties.",
        "addressSpace.ipamPoolPrefixAllocations",
        "virtualNetworkPeerings",
        "ddosProtectionPlan",
        "bgpCommunities.virtualNetworkCommunity",
        "ipAllocations",
      ),
    ),
    "properties.encryption.enabled": { why: "encryption of virtual networks", harmless: [false] },
    "properties.encryption.enforcement": { why: "encryption of virtual networks" },
    ...alike(
      neverShown,
      "etag",
      ...below("properties.", "resourceGuid", "flowLogs", "bgpCommunities.regionalCommunity"),
    ),
  },
  ranges: {
    "properties.flowTimeoutInMinutes": [4, 30],
  },
};

/** The classes of the fields of a subnet. */
export const subnetFields: FieldClasses = {
  modelled: {
    apiVersion,
    id,
    name,
    type,
    "properties.addressPrefix": "within the network, apart from other subnets",
    "properties.addressPrefixes": "within the network, apart from other subnets",
    "properties.delegations[].properties.serviceName": "the service that may use the subnet",
    "properties.delegations[].name": "kept and shown",
    "properties.provisioningState": "read-only",
  },
  validated: { "properties.serviceEndpoints": "of a service that has one; nothing is routed" },
  inert: {
    "properties.delegations[].id": "kept and shown",
    "properties.delegations[].type": "kept and shown",
    "properties.privateEndpointNetworkPolicies": "there are no private endpoints",
    "properties.privateLinkServiceNetworkPolicies": "there are no private links",
    "properties.defaultOutboundAccess": "nothing is routed",
  },
  unsupported: {
    ...alike(
      ofOthers,
      ...below(
        "properties.",
        "networkSecurityGroup",
        "routeTable",
        "natGateway",
        "serviceEndpointPolicies",
        "ipAllocations",
        "applicationGatewayIPConfigurations",
        "ipamPoolPrefixAllocations",
        "sharingScope",
      ),
    ),
    ...alike(
      neverShown,
      "etag",
      ...below(
        "properties.",
        "privateEndpoints",
        "ipConfigurations",
        "ipConfigurationProfiles",
        "resourceNavigationLinks",
        "serviceAssociationLinks",
        "purpose",
        "delegations[].etag",
        "delegations[].properties.actions",
        "delegations[].properties.provisioningState",
      ),
    ),
  },
};

/** The classes of the fields of a private DNS zone. */
export const zoneFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "global",
    tags: "kept and shown",
    "properties.provisioningState": "read-only",
  },
  validated: {},
  inert: { etag: "kept and shown" },
  unsupported: alike(
    neverShown,
    ...below(
      "properties.",
      "maxNumberOfRecordSets",
      "numberOfRecordSets",
      "maxNumberOfVirtualNetworkLinks",
      "numberOfVirtualNetworkLinks",
      "maxNumberOfVirtualNetworkLinksWithRegistration",
      "numberOfVirtualNetworkLinksWithRegistration",
      "internalId",
    ),
  ),
};

/** The classes of the fields of A records. */
export const recordFields: FieldClasses = {
  modelled: { ...commonFields },
  validated: {
    "properties.aRecords": "at least one, each an IPv4 address; nothing is resolved",
    "properties.ttl": "a whole number of seconds",
  },
  inert: { etag: "kept and shown", "properties.metadata": "kept and shown" },
  unsupported: {
    ...alike(
      { why: "records of another kind in A records" },
      ...below(
        "properties.",
        "aaaaRecords",
        "cnameRecord",
        "mxRecords",
        "ptrRecords",
        "soaRecord",
        "srvRecords",
        "txtRecords",
      ),
    ),
    ...alike(neverShown, "properties.fqdn", "properties.isAutoRegistered"),
  },
  ranges: {
    "properties.ttl": [1, numberMax],
  },
};

/** The classes of the fields of a zone's link to a network. */
export const zoneLinkFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "global",
    tags: "kept and shown",
    "properties.virtualNetwork.id": "must exist",
    "properties.virtualNetworkLinkState": "read-only",
    "properties.provisioningState": "read-only",
  },
  validated: { "properties.resolutionPolicy": "one of Azure's; nothing is resolved" },
  inert: { etag: "kept and shown", "properties.registrationEnabled": "nothing is registered" },
  unsupported: {},
};
