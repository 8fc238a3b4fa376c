// Microsoft.EventGrid/systemTopics and their event subscriptions: what Azure refuses, and the handshake that is part of
// creating a subscription. Only vaults are sources here.
import { regionOf, sameText } from "../arm/bodies.ts";
import { unsupported } from "../arm/refusals.ts";
import { ArmError, type Body, type Cloud, type PutContext, type ResourceType } from "../arm/resource.ts";
import { parentIdOf } from "../arm/resource-path.ts";
import { tenant } from "../authorization/tokens.ts";
import { isLoopback } from "../delivery/post.ts";
import type { EventSchema } from "./events.ts";
import { eventSubscriptionFields, systemTopicFields } from "./fields.ts";
import { baseOf, validate } from "./handshake.ts";
import { subscriptionType, topicOf, topicType } from "./publish.ts";

const apiVersions = ["2025-02-15"];
const vaultTopics = "Microsoft.KeyVault.vaults";
/** The events of vaults that the emulator raises. */
const raised = ["SecretNewVersionCreated", "SecretNearExpiry", "SecretExpired"].map(
  (each) => `Microsoft.KeyVault.${each}`,
);
/** Those that it never raises, since its vaults have no keys, certificates and access policies. */
const neverRaised =
  /^Microsoft\.KeyVault\.((Key|Certificate)(NewVersionCreated|NearExpiry|Expired)|VaultAccessPolicyChanged)$/i;

const invalid = (message: string): ArmError => new ArmError(400, "InvalidRequest", message);

function putTopic({ id, wanted, previous, cloud }: PutContext): void {
  const { source, topicType: asked } = wanted["properties"];
  if (!sameText(asked, vaultTopics)) throw unsupported(`system topics of the type '${asked}'`);
  const resource = cloud.store.get(String(source));
  if (resource?.type !== "Microsoft.KeyVault/vaults")
    throw new ArmError(404, "ResourceNotFound", `The source '${source}' of the system topic was not found.`);
  if (regionOf(wanted["location"]) !== regionOf(resource.body["location"]))
    throw invalid(`The system topic must be in '${resource.body["location"]}', where its source is.`);
  if (previous && !sameText(previous.body["properties"].source, source))
    throw invalid("The source of a system topic cannot be changed.");
  const other = topicOf(cloud, String(source));
  if (other && other.id !== id.toLowerCase())
    throw invalid(
      `There is an existing tracked system topic for the given source ${source}. Only one system topic is allowed ` +
        "per source.",
    );
  wanted["properties"] = { ...wanted["properties"], topicType: vaultTopics };
}

async function putSubscription({ wanted, previous, cloud, id }: PutContext): Promise<void> {
  const { destination, filter = {}, retryPolicy = {}, eventDeliverySchema = "EventGridSchema" } = wanted["properties"];
  checkDestination(destination, cloud);
  checkEnds(wanted["properties"], cloud);
  checkTypes(filter);
  const schema = schemaNamed(eventDeliverySchema);
  const topic: string = cloud.store.get(parentIdOf(id))!.body["properties"].source;
  const properties: Body = {
    ...wanted["properties"],
    topic,
    filter: {
      subjectBeginsWith: "",
      subjectEndsWith: "",
      ...filter,
      includedEventTypes: filter.includedEventTypes ?? raised,
    },
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440, ...retryPolicy },
    eventDeliverySchema: schema,
  };
  wanted["properties"] = properties;
  const before = previous?.body["properties"];
  const isSame =
    before?.provisioningState === "Succeeded" &&
    before.destination.properties.endpointUrl === destination.properties.endpointUrl &&
    before.eventDeliverySchema === schema;
  if (isSame) return;
  const audience: unknown = destination.properties.azureActiveDirectoryApplicationIdOrUri;
  const token = audience ? await cloud.serviceToken?.("eventGrid", String(audience)) : undefined;
  await validate(cloud, {
    name: String(wanted["name"]),
    topic,
    url: destination.properties.endpointUrl,
    schema,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
}

function schemaNamed(asked: unknown): EventSchema {
  const found = (["EventGridSchema", "CloudEventSchemaV1_0"] as const).find((each) => sameText(each, asked));
  if (!found) throw invalid(`The event delivery schema '${asked}' is not supported for system topics.`);
  return found;
}

function checkDestination(destination: Body | undefined, { suffix }: Cloud): void {
  if (!destination) throw invalid("The destination of the event subscription is missing.");
  if (!sameText(destination["endpointType"], "WebHook"))
    throw unsupported("event subscriptions whose endpoint is no webhook (properties.destination.endpointType)");
  const {
    endpointUrl,
    azureActiveDirectoryTenantId: directory,
    azureActiveDirectoryApplicationIdOrUri: application,
  } = destination["properties"] ?? {};
  if (typeof endpointUrl !== "string" || !URL.canParse(endpointUrl))
    throw invalid(`'${endpointUrl}' is no endpoint URL.`);
  if (!isLoopback(endpointUrl, suffix)) throw unsupported("deliveries beyond this machine");
  if (new URL(endpointUrl).protocol !== "https:" && new URL(endpointUrl).hostname.endsWith(suffix))
    throw invalid("The endpoint URL must use https.");
  if (Boolean(directory) !== Boolean(application))
    throw invalid("A protected webhook needs both the id of a directory and an application.");
  if (directory && !sameText(directory, tenant)) throw invalid(`The directory '${directory}' was not found.`);
}

function checkEnds({ expirationTimeUtc, deadLetterDestination }: Body, { clock }: Cloud): void {
  if (expirationTimeUtc != null && !(Date.parse(expirationTimeUtc) > clock.now()))
    throw invalid(`The expiration time '${expirationTimeUtc}' is not in the future.`);
  if (!deadLetterDestination) return;
  const { resourceId, blobContainerName } = deadLetterDestination.properties ?? {};
  if (!resourceId || !blobContainerName)
    throw invalid("A dead letter destination needs a resourceId and a blobContainerName.");
}

function checkTypes({ includedEventTypes }: Body): void {
  for (const each of (includedEventTypes ?? []) as string[]) {
    if (neverRaised.test(each)) throw unsupported(`the event type '${each}'`);
    if (!raised.some((known) => sameText(known, each)))
      throw invalid(`The event type '${each}' is not one of the topic type ${vaultTopics}.`);
  }
}

/** System topics and their subscriptions, as Resource Manager serves them. */
export const eventGridTypes: readonly ResourceType[] = [
  {
    type: topicType,
    apiVersions,
    patches: ["tags", "identity"],
    fields: systemTopicFields,
    put: "async-operation",
    onPut: async (context) => putTopic(context),
  },
  {
    type: subscriptionType,
    apiVersions,
    // Azure's PATCH takes the properties without `properties` around them.
    patches: [],
    fields: eventSubscriptionFields,
    put: "async-operation",
    onPut: putSubscription,
    /** The address may hold a key, so that only an action gives it whole. */
    present: ({ body }) => {
      const shown = structuredClone(body);
      const { endpointUrl, ...rest } = shown["properties"].destination.properties;
      shown["properties"].destination.properties = { ...rest, endpointBaseUrl: baseOf(endpointUrl) };
      return shown;
    },
    actions: {
      getfullurl: async ({ body }) => ({
        status: 200,
        body: { endpointUrl: body["properties"].destination.properties.endpointUrl },
      }),
    },
  },
];
