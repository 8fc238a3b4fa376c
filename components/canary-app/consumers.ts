// Messages that an app takes from queues and topics. A canary takes them as soon as it runs, whatever its weight, and
// no request row tells how it fared with them.
type Fields = Readonly<Record<string, unknown>>;

/** The KEDA scalers that count messages waiting for consumers. */
const messageScalers = new Set([
  "activemq",
  "apache-kafka",
  "artemis-queue",
  "aws-dynamodb-streams",
  "aws-kinesis-stream",
  "aws-sqs-queue",
  "azure-eventhub",
  "azure-queue",
  "azure-servicebus",
  "beanstalkd",
  "gcp-cloudtasks",
  "gcp-pubsub",
  "ibmmq",
  "kafka",
  "liiklus",
  "nats-jetstream",
  "nsq",
  "pulsar",
  "rabbitmq",
  "redis",
  "redis-cluster",
  "redis-cluster-streams",
  "redis-sentinel",
  "redis-sentinel-streams",
  "redis-streams",
  "solace-direct-messaging",
  "solace-event-queue",
  "stan",
  "temporal",
]);

/** Names what gives an app messages, as far as its arguments show it: scale rules, and Dapr if it can reach the app. */
export function messageSources({
  template,
  configuration,
}: {
  readonly template?: unknown;
  readonly configuration?: unknown;
}): readonly string[] {
  const { scale } = (template ?? {}) as { readonly scale?: Fields };
  const rules = scale?.["rules"];
  const ofRules = (Array.isArray(rules) ? (rules as readonly Fields[]) : []).flatMap((rule) => {
    const { type } = (rule?.["custom"] ?? {}) as Fields;
    const consumes = Boolean(rule?.["azureQueue"]) || messageScalers.has(String(type ?? "").toLowerCase());
    return consumes ? [`the scale rule ${rule["name"]}`] : [];
  });
  const { enabled, appPort } = ((configuration as Fields | undefined)?.["dapr"] ?? {}) as Fields;
  // Whether an app subscribes is not in its arguments: Dapr asks the app itself when it starts.
  const subscribes = enabled === true && appPort !== undefined && appPort !== null;
  return subscribes ? [...ofRules, "Dapr, if the app subscribes to a topic or has an input binding"] : ofRules;
}
