// What the list of platform metrics says of metrics and dimensions that its source has or has not.
import { expect, test } from "vitest";
import { otherMetrics, platformMetrics } from "../../emulator/insights/platform-metrics.ts";

test.each([
  ["microsoft.app/containerapps", "Requests", "statusCode", true],
  ["microsoft.app/containerapps", "Replicas", "podName", false],
  ["microsoft.app/containerapps", "Replicas", "deploymentName", false],
  ["microsoft.app/containerapps", "CpuPercentage", "podName", true],
  ["microsoft.app/containerapps", "CpuPercentage", "revisionName", false],
  ["microsoft.dbforpostgresql/flexibleservers", "deadlocks", "DatabaseName", true],
  ["microsoft.dbforpostgresql/flexibleservers", "cpu_percent", "DatabaseName", false],
  ["microsoft.keyvault/vaults", "ServiceApiHit", "StatusCode", false],
  ["microsoft.keyvault/vaults", "ServiceApiResult", "StatusCode", true],
  ["microsoft.eventgrid/systemtopics", "PublishSuccessCount", "Topic", false],
  ["microsoft.eventgrid/systemtopics", "DeadLetteredCount", "DeadLetterReason", true],
])("%s: %s has the dimension %s: %j", (type, metric, dimension, has) => {
  expect(platformMetrics[type]![metric]!.includes(dimension)).toBe(has);
});

test.each([
  ["JvmGcCount", true],
  ["GpuUtilizationPercentage", true],
  ["Banana", false],
])("%s is a metric of Azure that no resource here has: %j", (metric, is) => {
  expect(otherMetrics.test(metric)).toBe(is);
});
