// What the bodies of container apps are made of beyond Azure's published types: which numbers are whole, and which
// values an open enumeration takes. The published types let any number and any text through, and Azure does not. A test
// compares both tables with the schemas of every served version.
import { randomBytes } from "node:crypto";
import { valuesAt } from "../../arm/fields.ts";
import { ArmError, type Body } from "../../arm/resource.ts";
import { refuse } from "./refusals.ts";

const ingress = "properties.configuration.ingress";
const probe = "properties.template.containers[].probes[]";

/** The fields with a fixed set of values, compared without regard to case. */
export const enumerations: { readonly [path: string]: readonly string[] } = {
  "extendedLocation.type": ["CustomLocation"],
  "identity.type": ["None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"],
  kind: ["containerapps", "workflowapp", "functionapp"],
  "properties.patchingConfiguration.patchingMode": ["Automatic", "Manual", "Disabled"],
  "properties.configuration.activeRevisionsMode": ["Multiple", "Single", "Labels"],
  "properties.configuration.dapr.appProtocol": ["http", "grpc"],
  "properties.configuration.dapr.logLevel": ["info", "debug", "warn", "error"],
  "properties.configuration.identitySettings[].lifecycle": ["Init", "Main", "None", "All"],
  "properties.configuration.runtime.java.javaAgent.logging.loggerSettings[].level": [
    "off",
    "error",
    "info",
    "debug",
    "trace",
    "warn",
  ],
  [`${ingress}.transport`]: ["auto", "http", "http2", "tcp"],
  [`${ingress}.targetPortHttpScheme`]: ["http", "https"],
  [`${ingress}.customDomains[].bindingType`]: ["Disabled", "SniEnabled", "Auto"],
  [`${ingress}.ipSecurityRestrictions[].action`]: ["Allow", "Deny"],
  [`${ingress}.stickySessions.affinity`]: ["sticky", "none"],
  [`${ingress}.clientCertificateMode`]: ["ignore", "accept", "require"],
  "properties.template.initContainers[].imageType": ["CloudBuild", "ContainerImage"],
  "properties.template.containers[].imageType": ["CloudBuild", "ContainerImage"],
  [`${probe}.httpGet.scheme`]: ["HTTP", "HTTPS"],
  [`${probe}.type`]: ["Liveness", "Readiness", "Startup"],
  "properties.template.volumes[].storageType": ["AzureFile", "EmptyDir", "Secret", "NfsAzureFile", "Smb"],
};

/** The fields that the published types call integers and Azure reads as numbers with decimals. */
export const decimals: readonly string[] = ["containers", "initContainers"].flatMap((list) =>
  ["cpu", "gpu"].map((name) => `properties.template.${list}[].resources.${name}`),
);

/** The fields that Azure reads as whole numbers. */
export const integers: readonly string[] = [
  ...["targetPort", "exposedPort", "traffic[].weight", "corsPolicy.maxAge"].map((name) => `${ingress}.${name}`),
  ...["targetPort", "exposedPort"].map((name) => `${ingress}.additionalPortMappings[].${name}`),
  ...["appPort", "httpReadBufferSize", "httpMaxRequestSize", "maxConcurrency"].map(
    (name) => `properties.configuration.dapr.${name}`,
  ),
  ...["probeIntervalSeconds", "probeTimeoutMilliseconds", "threshold"].map(
    (name) => `properties.configuration.dapr.appHealth.${name}`,
  ),
  "properties.configuration.maxInactiveRevisions",
  "properties.configuration.revisionTransitionThreshold",
  "properties.template.terminationGracePeriodSeconds",
  ...[
    "failureThreshold",
    "successThreshold",
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "terminationGracePeriodSeconds",
    "httpGet.port",
    "tcpSocket.port",
  ].map((name) => `${probe}.${name}`),
  ...["minReplicas", "maxReplicas", "cooldownPeriod", "pollingInterval", "rules[].azureQueue.queueLength"].map(
    (name) => `properties.template.scale.${name}`,
  ),
];

/** Replaces numbers that are sent as text, as the Azure CLI sends weights: Azure's JSON reader takes both. */
function readNumbers(value: unknown, steps: readonly string[]): void {
  const [step = "", ...rest] = steps;
  const name = step.replace("[]", "");
  if (typeof value !== "object" || value === null) return;
  const holder = value as Body;
  if (rest.length === 0) {
    if (typeof holder[name] === "string" && /^-?\d+(\.\d+)?$/.test(holder[name])) holder[name] = Number(holder[name]);
  } else for (const each of step.endsWith("[]") ? [holder[name] ?? []].flat() : [holder[name]]) readNumbers(each, rest);
}

/**
 * Refuses a number that is not whole, in the form of Azure's JSON reader, which is none of Resource Manager's. A number
 * that is sent as text becomes one in the body.
 *
 * @throws ArmError 400 with a body of its own
 */
export function refuseBrokenNumbers(body: Body): void {
  for (const path of [...integers, ...decimals]) readNumbers(body, path.split("."));
  for (const path of integers)
    for (const value of valuesAt(body, path)) {
      const isWhole = value === null || value === undefined || (typeof value === "number" && Number.isInteger(value));
      if (!isWhole) throw conversionError(path);
    }
}

/** Makes the answer of Azure's JSON reader (vscode-azurecontainerapps#116). */
function conversionError(path: string): ArmError {
  const where = `$.${path.replaceAll("[]", "[0]")}`;
  const problem =
    `The JSON value could not be converted to System.Nullable\`1[System.Int32]. ` +
    `Path: ${where} | LineNumber: 0 | BytePositionInLine: 0.`;
  const error = new ArmError(400, "BadRequest", problem);
  error.body = {
    type: "https://tools.ietf.org/html/rfc9110#section-15.5.1",
    title: "One or more validation errors occurred.",
    status: 400,
    traceId: `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-00`,
    errors: { [where]: [problem] },
  };
  return error;
}

/** Refuses a value that an enumeration does not have. @throws ArmError 400 ContainerAppInvalidSchema */
export function refuseUnknownValues(body: Body): void {
  for (const [path, allowed] of Object.entries(enumerations)) {
    const found = valuesAt(body, path).findIndex((value) => value != null && !isOneOf(allowed, value));
    if (found >= 0) refuseSchema(path, found);
  }
}

// `SystemAssigned, UserAssigned` is what azure-native and others send.
const isOneOf = (allowed: readonly string[], value: unknown): boolean =>
  allowed.some((each) => each.toLowerCase() === String(value).toLowerCase().replace(", ", ","));

/** Refuses a body in the words of aca#1395. `element` is the index in the list that the field is in. */
function refuseSchema(path: string, element: number): never {
  const last = path.lastIndexOf("[]");
  const where = last < 0 ? `$.${path}` : `$[${element}]${path.slice(last + 2)}`;
  return refuse(
    "ContainerAppInvalidSchema",
    `Invalid request body for container app. Path: ${where}. Does not conform to Container App schema, please visit ` +
      "for more information https://docs.microsoft.com/azure/container-apps/azure-resource-manager-api-spec" +
      "?tabs=arm-template#container-app",
  );
}
