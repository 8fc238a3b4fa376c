// How Azure's services deliver to a webhook, as data: what counts as delivered, which failures are tried again and
// when, and when a delivery is given up.

/** The service that delivers. */
export type PolicyName = "eventGrid" | "actionGroup";

/** The way of one service. */
export interface Policy {
  /** The seconds from a failed attempt to the next; the last one repeats. */
  readonly delays: readonly number[];
  readonly attemptsMax: number;
  /** The time after which nothing more is tried. */
  readonly minutesToLive: number;
  /** The time in which the receiver must have answered. */
  readonly answerSeconds: number;
  readonly isDelivered: (status: number) => boolean;
  /** Whether a failure is tried again. A status of 0 means that there was no answer. */
  readonly isRetried: (status: number) => boolean;
  /** The least seconds to the next attempt after an answer with this status. */
  readonly leastDelays: { readonly [status: number]: number };
  /** The header that has the number of attempts before this one. */
  readonly countHeader?: string;
  /** The application of Microsoft's that delivers, and the role that it must have at a protected receiver. */
  readonly application: { readonly id: string; readonly role: string };
  /** The time in which the receiver gets nothing after a delivery to it was given up. */
  readonly silenceSeconds: number;
}

const hour = 3600;

export const policies: { readonly [Name in PolicyName]: Policy } = {
  // Learn: Event Grid message delivery and retry, for webhooks.
  eventGrid: {
    delays: [10, 30, 60, 300, 600, 1800, hour, 3 * hour, 6 * hour, 12 * hour],
    attemptsMax: 30,
    minutesToLive: 1440,
    answerSeconds: 30,
    isDelivered: (status) => status >= 200 && status <= 204,
    isRetried: (status) => ![400, 401, 403, 404, 413].includes(status),
    leastDelays: { 408: 120, 503: 30 },
    countHeader: "aeg-delivery-count",
    application: { id: "4962773b-9cdb-44cf-a8bf-237846a00ab7", role: "AzureEventGridSecureWebhookSubscriber" },
    silenceSeconds: 0,
  },
  // Learn: action groups, retry logic of webhooks.
  actionGroup: {
    delays: [5, 20, 5, 40, 5],
    attemptsMax: 6,
    minutesToLive: 1440,
    answerSeconds: 10,
    isDelivered: (status) => status >= 200 && status < 300,
    isRetried: (status) => [0, 408, 429, 503, 504].includes(status),
    leastDelays: {},
    application: { id: "461e8683-5575-4561-ac7f-899cc907d62a", role: "ActionGroupsSecureWebhook" },
    silenceSeconds: 900,
  },
};
