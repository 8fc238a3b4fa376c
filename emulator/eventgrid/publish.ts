// Gives the events of a source to the subscriptions of its system topic whose filters admit them. Delivery, with its
// retries and dead letters, is in delivery/.
import { sameText } from "../arm/bodies.ts";
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import { deliveriesOf } from "../delivery/deliveries.ts";
import { type EventSchema, type SourceEvent, writeEvent } from "./events.ts";

export const topicType = "Microsoft.EventGrid/systemTopics";
export const subscriptionType = `${topicType}/eventSubscriptions`;

/** Finds the system topic of a source. */
export const topicOf = ({ store }: Cloud, source: string): Resource | undefined =>
  store.list().find(({ type, body }) => type === topicType && sameText(body["properties"].source, source));

/** Gives the subscriptions of a source that passed their handshake. */
const subscriptionsOf = (cloud: Cloud, source: string): readonly Resource[] => {
  const topic = topicOf(cloud, source);
  if (!topic) return [];
  return cloud.store
    .list(topic.id)
    .filter(({ type, body }) => type === subscriptionType && body["properties"].provisioningState === "Succeeded");
};

/** Reports whether anyone hears of what happens in a source. */
export const isSubscribed = (cloud: Cloud, source: string): boolean => subscriptionsOf(cloud, source).length > 0;

/** Queues an event for every subscription that wants it. */
export function publish(cloud: Cloud, event: SourceEvent): void {
  for (const { body } of subscriptionsOf(cloud, event.source)) {
    const { filter, eventDeliverySchema, destination, retryPolicy, deadLetterDestination, expirationTimeUtc } =
      body["properties"];
    if (!admits(filter ?? {}, event)) continue;
    if (expirationTimeUtc && Date.parse(expirationTimeUtc) <= cloud.clock.now()) continue;
    const written = writeEvent(event, eventDeliverySchema as EventSchema);
    const audience: unknown = destination.properties.azureActiveDirectoryApplicationIdOrUri;
    deliveriesOf(cloud).send({
      ...written,
      to: destination.properties.endpointUrl,
      headers: { ...written.headers, "aeg-subscription-name": String(body["name"]).toUpperCase() },
      policy: "eventGrid",
      deadLetter: Boolean(deadLetterDestination),
      attemptsMax: retryPolicy.maxDeliveryAttempts,
      minutesToLive: retryPolicy.eventTimeToLiveInMinutes,
      ...(typeof audience === "string" && audience !== "" ? { audience } : {}),
    });
  }
}

/** Reports whether a filter lets an event through. */
function admits(filter: Body, { type, subject }: SourceEvent): boolean {
  const { includedEventTypes, subjectBeginsWith, subjectEndsWith, isSubjectCaseSensitive } = filter;
  const spelled = (text: unknown): string => (isSubjectCaseSensitive ? String(text) : String(text).toLowerCase());
  if (includedEventTypes && !(includedEventTypes as string[]).some((each) => sameText(each, type))) return false;
  if (subjectBeginsWith && !spelled(subject).startsWith(spelled(subjectBeginsWith))) return false;
  return !subjectEndsWith || spelled(subject).endsWith(spelled(subjectEndsWith));
}

/** Removes the subscriptions of a source that is deleted. They do not come back when it is recovered. */
export function dropSubscriptions(cloud: Cloud, source: string): void {
  const topic = topicOf(cloud, source);
  if (topic)
    for (const { id, type } of cloud.store.list(topic.id)) if (type === subscriptionType) cloud.store.remove(id);
}
