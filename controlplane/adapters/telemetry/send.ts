// How telemetry leaves the process: batches in memory, which Microsoft's exporter sends at intervals. A batch that is
// refused, or whose connection breaks, is sent once more and then dropped. A batch without an answer in time is dropped
// at once. Nothing waits for it: an ingestion that fails costs a bounded queue and one message in the log.

import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from "@azure/monitor-opentelemetry-exporter";
import type { Meter, Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { boundedAnswers } from "../../../http-answer.ts";

/** Where telemetry is sent, and its sender. */
export interface SendingSettings {
  /** The connection string of the Application Insights component. */
  readonly connectionString: string;
  readonly credential: TokenCredential;
  /** The network route of requests. */
  readonly way: PipelinePolicy;
  /** The sender, in the platform's terms. */
  readonly role: string;
  readonly instance: string;
  readonly version: string;
  /** How often metrics are sent. Spans are sent at least as often. */
  readonly everySeconds: number;
  /** Receives a message when sending begins to fail, and one when it works again. */
  readonly log: (message: string) => void;
}

/** The tracer and the meter, and how to close them. */
export interface Sending {
  readonly tracer: Tracer;
  readonly meter: Meter;
  /** Sends what is left, for at most a few seconds. */
  readonly close: () => Promise<void>;
}

/** The limit of one export. A process that ends waits no longer. */
const sendSeconds = 5;
/**
 * How a batch is sent again. The server closes idle connections, and a process that was stopped or busy finds out only
 * when it sends: without a second try, the batch that shows how late the process was would be the one that is lost.
 */
const retryOptions = { maxRetries: 1, retryDelayInMs: 100 };
/** The most of an answer that is read. An ingestion counts what it accepted and refused, in a few words each. */
const answerBytesMax = 2 ** 20;
/** The most spans in the queue. Further ones are dropped. */
const spansMax = 2048;

/** Opens the exporters. */
export function openSending(settings: SendingSettings): Sending {
  // Unless the environment forbids it, the exporter reports usage to Microsoft and adds a metric about its resource. We
  // send to the configured address and nowhere else.
  process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] = "true";
  process.env["APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED"] = "true";
  const options = {
    connectionString: settings.connectionString,
    credential: settings.credential,
    disableOfflineStorage: true,
    retryOptions,
    additionalPolicies: [
      { policy: settings.way, position: "perCall" as const },
      { policy: timedAndWatched(settings.log), position: "perCall" as const },
      {
        policy: boundedAnswers({ bytesMax: answerBytesMax, seconds: sendSeconds, restSecondsMax: 1 }),
        position: "perRetry" as const,
      },
    ],
  };
  const resource = resourceFromAttributes({
    "service.name": settings.role,
    "service.version": settings.version,
    "service.instance.id": settings.instance,
  });
  const traces = new AzureMonitorTraceExporter(options);
  const metrics = new AzureMonitorMetricExporter(options);
  const tracing = new BasicTracerProvider({
    resource,
    spanProcessors: [
      new BatchSpanProcessor(traces, {
        maxQueueSize: spansMax,
        scheduledDelayMillis: Math.min(5, settings.everySeconds) * 1000,
        exportTimeoutMillis: sendSeconds * 1000,
      }),
    ],
  });
  const metering = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: metrics,
        exportIntervalMillis: settings.everySeconds * 1000,
        exportTimeoutMillis: Math.min(sendSeconds, settings.everySeconds) * 1000,
      }),
    ],
  });
  const close = async (): Promise<void> => {
    const late = new Promise<void>((resolve) => setTimeout(resolve, sendSeconds * 1000).unref());
    await Promise.race([Promise.allSettled([tracing.shutdown(), metering.shutdown()]), late]);
  };
  return { tracer: tracing.getTracer("ballast"), meter: metering.getMeter("ballast"), close };
}

/**
 * Limits the time of each export, and logs once when exports begin to fail and once when they work again. One message a
 * minute would flood the log.
 *
 * It watches the requests because the exporter reports success even for items that it dropped.
 */
function timedAndWatched(log: (message: string) => void): PipelinePolicy {
  let isFailing = false;
  const note = (problem: string | undefined): void => {
    if (isFailing !== (problem !== undefined))
      log(
        problem === undefined
          ? "telemetry is delivered again"
          : `telemetry cannot be delivered and is dropped: ${problem}`,
      );
    isFailing = problem !== undefined;
  };
  return {
    name: "ballast-telemetry-watched",
    sendRequest: async (request, next) => {
      request.timeout = sendSeconds * 1000; // The network route sets a longer limit, for requests to Azure.
      try {
        const response = await next(request);
        note(response.status < 300 ? undefined : `it was answered with ${response.status}`);
        return response;
      } catch (error) {
        note((error as Error).message);
        throw error;
      }
    },
  };
}
