// Every field of system topics and their event subscriptions, and what the emulator does with it.
import { alike, commonFields, type FieldClasses, type UnsupportedField } from "../arm/field-classes.ts";

const identities: UnsupportedField = { why: "identities of system topics" };
const asResource: UnsupportedField = { why: "delivery with the identity of a system topic" };
const otherEndpoints: UnsupportedField = { why: "event subscriptions whose endpoint is no webhook" };
const attributes: UnsupportedField = { why: "delivery attributes of event subscriptions" };
const advanced: UnsupportedField = { why: "advanced filters of event subscriptions" };

/** The classes of the fields of a system topic. */
export const systemTopicFields: FieldClasses = {
  modelled: {
    ...commonFields,
    location: "the source's; never changes",
    tags: "kept and shown",
    "properties.provisioningState": "read-only",
    "properties.source": "a vault of this cloud, which has one topic; never changes",
    "properties.topicType": "Microsoft.KeyVault.vaults; others are refused by name",
  },
  validated: {},
  inert: {},
  unsupported: {
    "identity.type": { ...identities, harmless: ["None"] },
    ...alike(identities, "identity.principalId", "identity.tenantId", "identity.userAssignedIdentities"),
    "properties.metricResourceId": { why: "is never shown" },
  },
};

const destination = "properties.destination.properties";
const withIdentity = "properties.deliveryWithResourceIdentity";

/** The classes of the fields of an event subscription. */
export const eventSubscriptionFields: FieldClasses = {
  modelled: {
    ...commonFields,
    "properties.topic": "read-only; the source",
    "properties.provisioningState": "read-only",
    "properties.destination.endpointType": "WebHook; others are refused by name",
    [`${destination}.endpointUrl`]: "https on loopback, or http at a loopback address; must pass the handshake; hidden",
    [`${destination}.endpointBaseUrl`]: "read-only; the address without its query",
    [`${destination}.azureActiveDirectoryApplicationIdOrUri`]: "each request has a token for it",
    [`${destination}.azureActiveDirectoryTenantId`]: "the one directory of the emulator",
    "properties.filter.subjectBeginsWith": "compared with the secret's name",
    "properties.filter.subjectEndsWith": "compared with the secret's name",
    "properties.filter.includedEventTypes": "those of vaults; all of them without a list",
    "properties.filter.isSubjectCaseSensitive": "how subjects are compared",
    "properties.eventDeliverySchema": "EventGridSchema and CloudEventSchemaV1_0, each with its handshake",
    "properties.retryPolicy.maxDeliveryAttempts": "1 to 30",
    "properties.retryPolicy.eventTimeToLiveInMinutes": "1 to 1440",
    "properties.expirationTimeUtc": "must be in the future; nothing is sent after it",
    "properties.deadLetterDestination.endpointType": "what is given up is a dead letter in the journal of deliveries",
  },
  validated: {
    [`${destination}.maxEventsPerBatch`]: "1 to 5000; each request has one event",
    [`${destination}.preferredBatchSizeInKilobytes`]: "1 to 1024; each request has one event",
    "properties.deadLetterDestination.properties.resourceId": "must be given; no blob is written",
    "properties.deadLetterDestination.properties.blobContainerName": "must be given; no blob is written",
  },
  inert: {
    "properties.labels": "kept and shown",
    [`${destination}.minimumTlsVersionAllowed`]: "the emulator sends with TLS 1.2 or 1.3",
  },
  unsupported: {
    ...alike(
      otherEndpoints,
      ...["resourceId", "severity", "description", "actionGroups", "queueName", "queueMessageTimeToLiveInSeconds"].map(
        (each) => `${destination}.${each}`,
      ),
    ),
    ...alike(
      attributes,
      ...["name", "type", "properties.sourceField", "properties.value", "properties.isSecret"].map(
        (each) => `${destination}.deliveryAttributeMappings[].${each}`,
      ),
    ),
    ...alike(
      advanced,
      "properties.filter.enableAdvancedFilteringOnArrays",
      ...["key", "value", "values", "operatorType"].map((each) => `properties.filter.advancedFilters[].${each}`),
    ),
    ...alike(asResource, withIdentity, "properties.deadLetterWithResourceIdentity"),
  },
  ranges: {
    [`${destination}.maxEventsPerBatch`]: [1, 5000],
    [`${destination}.preferredBatchSizeInKilobytes`]: [1, 1024],
    "properties.retryPolicy.maxDeliveryAttempts": [1, 30],
    "properties.retryPolicy.eventTimeToLiveInMinutes": [1, 1440],
  },
};
