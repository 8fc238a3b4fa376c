// Events of a vault as Event Grid delivers them, in both schemas, and its handshake.

const topicOf = (vault: string): string =>
  `/subscriptions/0/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/${vault}`;

/** Makes the event that a secret expires within thirty days, in Event Grid's own schema. */
export const nearExpiry = (vault: string, secret: string, more: object = {}): object => ({
  id: "00eccf70-95a7-4e7c-8299-2eb17ee9ad64",
  topic: topicOf(vault),
  subject: secret,
  eventType: "Microsoft.KeyVault.SecretNearExpiry",
  eventTime: "2031-01-01T11:59:59.1036736Z",
  // As the documented sample has it: blanks in a name and in a value, and moments that are texts.
  data: { VaultName: vault, "ObjectName ": secret, Version: " ee059b2bb5bc48398a53b168c6cdcb10", EXP: "1559082102" },
  dataVersion: "1",
  metadataVersion: "1",
  ...more,
});

/** Makes the same as a CloudEvent. */
export const nearExpiryCloudEvent = (vault: string, secret: string, more: object = {}): object => ({
  id: "00eccf70-95a7-4e7c-8299-2eb17ee9ad64",
  source: topicOf(vault),
  specversion: "1.0",
  type: "Microsoft.KeyVault.SecretNearExpiry",
  subject: secret,
  time: "2031-01-01T11:59:59.1036736Z",
  data: { VaultName: vault, ObjectName: secret },
  ...more,
});

/** Makes the event of Event Grid's handshake. */
export const validationOf = (validationCode: unknown): object => ({
  id: "1",
  topic: topicOf("kv"),
  subject: "",
  eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
  eventTime: "2031-01-01T12:00:00Z",
  data: { validationCode, validationUrl: "https://example.net/validate" },
  dataVersion: "2",
  metadataVersion: "1",
});
