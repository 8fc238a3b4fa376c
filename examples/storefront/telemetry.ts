// Sends requests to Application Insights: all of them as a metric, a share of them as spans. It is loaded only if the
// platform sets a connection string, and after the shop is open. A failed or slow send is dropped; no request waits for
// it.
import { addAbortSignal, Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import {
  ApplicationInsightsSampler,
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
} from "@azure/monitor-opentelemetry-exporter";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

type Environment = Readonly<Record<string, string | undefined>>;

/** A request that is over. */
export interface Served {
  readonly method: string;
  /** `/`, `/products/{id}` or `other`: never the path that a user typed. */
  readonly route: string;
  /** 0 if there was no answer. */
  readonly status: number;
  readonly milliseconds: number;
}

/** The receiver of finished requests. */
export interface Telemetry {
  readonly served: (request: Served) => void;
  /** Sends everything that is still buffered. */
  readonly close: () => Promise<unknown>;
}

const sendMilliseconds = 5_000;
const answerBytesMax = 2 ** 20;

/** Starts telemetry. One request in a hundred becomes a span, unless OTEL_TRACES_SAMPLER_ARG sets another share. */
export function openTelemetry(connectionString: string, environment: Environment): Telemetry {
  // Without these the exporter reports usage to Microsoft and sends a metric about its resource.
  process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] = "true";
  process.env["APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED"] = "true";
  const credential = credentialOf(environment);
  const options = {
    connectionString,
    disableOfflineStorage: true,
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: boundedAnswers, position: "perRetry" as const }],
    ...(credential && { credential }),
  };
  const revision = environment["CONTAINER_APP_REVISION"] ?? "local";
  const resource = resourceFromAttributes({
    "service.name": environment["CONTAINER_APP_NAME"] ?? "storefront",
    "service.version": revision,
    "service.instance.id": environment["CONTAINER_APP_REPLICA_NAME"] ?? revision,
  });
  const share = Number(environment["OTEL_TRACES_SAMPLER_ARG"] ?? 0.01);
  const everyMilliseconds = Number(environment["OTEL_METRIC_EXPORT_INTERVAL"] ?? 60_000);
  const tracing = new BasicTracerProvider({
    resource,
    // This sampler also sends how many requests each span stands for.
    sampler: new ApplicationInsightsSampler(share),
    spanProcessors: [
      new BatchSpanProcessor(new AzureMonitorTraceExporter(options), { exportTimeoutMillis: sendMilliseconds }),
    ],
  });
  const metering = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new AzureMonitorMetricExporter(options),
        exportIntervalMillis: everyMilliseconds,
        exportTimeoutMillis: Math.min(sendMilliseconds, everyMilliseconds),
      }),
    ],
  });
  const tracer = tracing.getTracer("storefront");
  const duration = metering.getMeter("storefront").createHistogram("http.server.request.duration", { unit: "s" });
  return {
    served: ({ method, route, status, milliseconds }) => {
      const attributes = { "http.request.method": method, "http.route": route, "http.response.status_code": status };
      duration.record(milliseconds / 1000, attributes);
      const endTime = Date.now();
      const span = tracer.startSpan(
        `${method} ${route}`,
        { kind: SpanKind.SERVER, startTime: endTime - milliseconds, attributes },
        ROOT_CONTEXT,
      );
      if (status === 0 || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endTime);
    },
    close: () => Promise.allSettled([tracing.shutdown(), metering.shutdown()]),
  };
}

/** Returns a credential for the identity that may publish; undefined if the connection string is enough. */
function credentialOf({
  IDENTITY_ENDPOINT: endpoint,
  IDENTITY_HEADER: header,
  TELEMETRY_IDENTITY: identity,
}: Environment) {
  if (!endpoint || !header || !identity) return undefined;
  return {
    getToken: async (scopes: string | string[]) => {
      const query = new URLSearchParams({
        "api-version": "2019-08-01",
        resource: String(scopes).replace(/\/\.default$/, ""),
        mi_res_id: identity,
      });
      const response = await fetch(`${endpoint}?${query}`, {
        headers: { "X-IDENTITY-HEADER": header },
        signal: AbortSignal.timeout(sendMilliseconds),
      });
      if (!response.ok) throw new Error(`the identity endpoint answered ${response.status}`);
      const { access_token: token, expires_on: expiresOn } = JSON.parse(await textOf(response.body)) as {
        access_token: string;
        expires_on: string;
      };
      return { token, expiresOnTimestamp: Number(expiresOn) * 1000 };
    },
  };
}

/** Reads an answer within a limit of bytes and of time, since whoever answers may send without end. */
async function textOf(body: unknown): Promise<string> {
  const stream = body instanceof Readable ? body : Readable.fromWeb(body as ReadableStream);
  let text = "";
  for await (const part of addAbortSignal(AbortSignal.timeout(sendMilliseconds), stream.setEncoding("utf8"))) {
    text += part as string;
    if (text.length > answerBytesMax) throw new Error("an answer without end");
  }
  return text;
}

/** Reads the answers to the exporters, which would themselves read each to its end. */
const boundedAnswers: PipelinePolicy = {
  name: "bounded-answers",
  sendRequest: async (request, next) => {
    request.streamResponseStatusCodes = new Set([Number.POSITIVE_INFINITY]);
    const { readableStreamBody, ...response } = await next(request);
    delete request.streamResponseStatusCodes;
    return { ...response, bodyAsText: await textOf(readableStreamBody) };
  },
};
