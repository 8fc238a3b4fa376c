// How telemetry leaves the process: batches in memory, sent now and then by Microsoft's exporter, and dropped where they cannot be. Nobody waits for
// it; an ingestion that refuses or hangs costs a bounded queue and one sentence in the log. What is sent is not known here.

import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from "@azure/monitor-opentelemetry-exporter";
import type { Meter, Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

/** Where telemetry goes, and as whom. */
export interface SendingSettings {
  /** Of the Application Insights component. */
  readonly connectionString: string;
  readonly credential: TokenCredential;
  /** Which way requests take. */
  readonly way: PipelinePolicy;
  /** Who sends, in the words of the platform. */
  readonly role: string;
  readonly instance: string;
  readonly version: string;
  /** How often metrics are sent; spans are at least as often. */
  readonly everySeconds: number;
  /** Gets a sentence when sending begins to fail, and one when it works again. */
  readonly log: (sentence: string) => void;
}

/** What is measured with, and how it ends. */
export interface Sending {
  readonly tracer: Tracer;
  readonly meter: Meter;
  /** Sends what is left, for a few seconds at the most. */
  readonly close: () => Promise<void>;
}

/** How long one sending may take; a process that ends waits no longer. */
const sendSeconds = 5;
/** More spans than this wait for nobody: the rest is dropped. */
const spansMax = 2048;

/** Opens the way out. */
export function openSending(settings: SendingSettings): Sending {
  // The exporter reports on itself to Microsoft, and names its resource in a metric of its own, unless the environment says no; we send where we are configured to and nowhere else.
  process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] = "true";
  process.env["APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED"] = "true";
  const options = {
    connectionString: settings.connectionString,
    credential: settings.credential,
    disableOfflineStorage: true,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [
      { policy: settings.way, position: "perCall" as const },
      { policy: inTimeAndHeard(settings.log), position: "perCall" as const },
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
 * Gives each sending its time, and says once that nothing arrives any more, and once that it does again: a log that says so every minute is read by nobody.
 *
 * It is heard here since the exporter calls a sending good whose items it has dropped.
 */
function inTimeAndHeard(log: (sentence: string) => void): PipelinePolicy {
  let isFailing = false;
  const heard = (problem: string | undefined): void => {
    if (isFailing !== (problem !== undefined))
      log(
        problem === undefined
          ? "telemetry arrives again"
          : `telemetry does not arrive, and is dropped until it does: ${problem}`,
      );
    isFailing = problem !== undefined;
  };
  return {
    name: "ballast-telemetry-heard",
    sendRequest: async (request, next) => {
      request.timeout = sendSeconds * 1000; // The way's own limit is that of requests to Azure, and longer.
      try {
        const response = await next(request);
        heard(response.status < 300 ? undefined : `it was answered with ${response.status}`);
        return response;
      } catch (error) {
        heard((error as Error).message);
        throw error;
      }
    },
  };
}
