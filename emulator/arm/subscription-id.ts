// The id of the one subscription of the emulator. It stands alone, so that resource types can name their subscription
// without the routes of the subscription.

/** The one subscription of the emulator. It does not exist in Azure. */
export const subscription = "00000000-0000-0000-0000-0000ba11a57e";
