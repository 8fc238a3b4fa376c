// Requests as spans and as one metric, for Application Insights: a share of the first, all of the second. Loaded only where the platform gives a
// connection string, and after the shop is open. A sending that fails or hangs is given up; no request waits for one.
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
  /** `/`, `/products/{id}` or `other`: never what somebody typed. */
  readonly route: string;
  /** 0 where no answer was given. */
  readonly status: number;
  readonly milliseconds: number;
}

/** Who is told of requests. */
export interface Telemetry {
  readonly served: (request: Served) => void;
  /** Sends what is left. */
  readonly close: () => Promise<unknown>;
}

const sendMilliseconds = 5_000;

/** Opens it. One request in a hundred becomes a span, unless OTEL_TRACES_SAMPLER_ARG says another share. */
export function openTelemetry(connectionString: string, environment: Environment): Telemetry {
  // The exporter reports on itself to Microsoft, and names its resource in a metric of its own, unless the environment says no.
  process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] = "true";
  process.env["APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED"] = "true";
  const credential = credentialOf(environment);
  const options = {
    connectionString,
    disableOfflineStorage: true,
    retryOptions: { maxRetries: 0 },
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
    // Azure counts a span for as many requests as it stands for, which this sampler tells it.
    resource,
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

/** Gives the platform's tokens for the identity that may publish; undefined where the connection string is enough. */
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
      const { access_token: token, expires_on: expiresOn } = (await response.json()) as {
        access_token: string;
        expires_on: string;
      };
      return { token, expiresOnTimestamp: Number(expiresOn) * 1000 };
    },
  };
}
