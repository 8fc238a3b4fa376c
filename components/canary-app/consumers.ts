// Messages that an app takes from queues and topics. A canary takes them as soon as it runs, whatever its weight, and
// no request row tells how it fared with them.
type Fields = Readonly<Record<string, unknown>>;

/** The KEDA scalers that count messages waiting for consumers. */
const messageScalers = new Set([
  "activemq",
  "apache-kafka",
  "artemis-queue",
  "aws-kinesis-stream",
  "aws-sqs-queue",
  "azure-eventhub",
  "azure-queue",
  "azure-servicebus",
  "beanstalkd",
  "gcp-pubsub",
  "ibmmq",
  "kafka",
  "nats-jetstream",
  "pulsar",
  "rabbitmq",
  "redis",
  "redis-cluster",
  "redis-cluster-streams",
  "redis-sentinel",
  "redis-sentinel-streams",
  "redis-streams",
  "solace-event-queue",
  "stan",
]);

/** Lists the scale rules by which an app seems to consume messages: what a template shows, and no more. */
export function messageRules(template: unknown): readonly string[] {
  const { scale } = (template ?? {}) as { readonly scale?: Fields };
  const rules = scale?.["rules"];
  return (Array.isArray(rules) ? (rules as readonly Fields[]) : []).flatMap((rule) => {
    const { type } = (rule?.["custom"] ?? {}) as Fields;
    const consumes = Boolean(rule?.["azureQueue"]) || messageScalers.has(String(type ?? "").toLowerCase());
    return consumes ? [String(rule["name"])] : [];
  });
}
