// Checks the ingress of a container app: ports, transport, callers, certificates, custom domains, and what goes with
// what. Traffic is checked in traffic.ts.
import { firstTwice } from "../../arm/bodies.ts";
import type { Body, Store } from "../../arm/resource.ts";
import { environmentIdOf } from "../app-bodies.ts";
import { checkPort } from "./containers.ts";
import { refuse, refuseLikeAzure, refuseUnsupported } from "./refusals.ts";

/** What an ingress is checked against. */
export interface IngressScope {
  readonly id: string;
  readonly mode: string;
  readonly refusesAffinity: boolean;
  readonly environmentId: string;
  readonly suffix: string;
  readonly store: Store;
}

const is = (value: unknown, expected: string): boolean => String(value ?? "").toLowerCase() === expected;
const additionalPortsMax = 5;

/** Checks an ingress. @throws ArmError 400 */
export function checkIngress(ingress: Body, scope: IngressScope): void {
  const { targetPort, transport, stickySessions, corsPolicy } = ingress;
  if (targetPort != null) checkPort(targetPort, "The ingress targetPort");
  if (is(transport, "http2")) refuseUnsupported("ingress with the transport http2");
  if (is(stickySessions?.affinity, "sticky") && scope.mode !== "single" && scope.refusesAffinity)
    refuse(
      "ContainerAppInvalidIngressStickySessionRevisionMode",
      "Ingress session affinity is supported in single revision mode only.",
    );
  if (corsPolicy) checkCors(corsPolicy);
  checkPorts(ingress, scope);
  checkCallers(ingress["ipSecurityRestrictions"] ?? []);
  checkDomains(ingress["customDomains"] ?? [], scope);
}

/** A name of a header or a method, as HTTP has it. */
const token = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;

function checkCors(policy: Body): void {
  const { allowedOrigins, maxAge, allowCredentials } = policy;
  const origins: readonly unknown[] = allowedOrigins ?? [];
  if (origins.length === 0) refuseLikeAzure("A CORS policy needs at least one allowed origin.");
  // A proxy may answer with the caller's origin or with `*`, which browsers refuse together with credentials. Which of
  // the two Azure does is not public, so neither is shown here.
  if (allowCredentials && origins.includes("*"))
    refuseUnsupported("a CORS policy that allows every origin with credentials");
  const bad = origins.find((each) => each !== "*" && !/^[a-z][-+.a-z0-9]*:\/\/[^\s/?#]+$/i.test(String(each)));
  if (bad !== undefined) refuseLikeAzure(`'${bad}' is no origin: a scheme and a host, with a port or without.`);
  for (const name of ["allowedMethods", "allowedHeaders", "exposeHeaders"])
    for (const each of (policy[name] ?? []) as unknown[])
      if (!token.test(String(each))) refuseLikeAzure(`${name} of the CORS policy has '${each}', which HTTP has not.`);
  if (maxAge != null && maxAge < 0) refuseLikeAzure(`maxAge of the CORS policy is ${maxAge}, and not at least 0.`);
}

function checkPorts(ingress: Body, scope: IngressScope): void {
  const { exposedPort, transport, targetPort, external, traffic } = ingress;
  const more: readonly Body[] = ingress["additionalPortMappings"] ?? [];
  const isTcp = is(transport, "tcp");
  if (!isTcp && exposedPort) refuseLikeAzure("exposedPort belongs to the transport tcp.");
  if (isTcp && targetPort == null) refuseLikeAzure("An ingress with the transport tcp needs a targetPort.");
  if (isTcp && ((traffic ?? []) as Body[]).some(({ label }) => label))
    refuseLikeAzure("Traffic labels do not go with the transport tcp.");
  for (const name of ["corsPolicy", "customDomains", "clientCertificateMode", "stickySessions"])
    if (isTcp && means(ingress[name])) refuseLikeAzure(`${name} does not go with the transport tcp.`);
  if (more.length > additionalPortsMax)
    refuseLikeAzure(`An ingress has at most ${additionalPortsMax} additional ports, not ${more.length}.`);
  for (const each of more) checkPort(each["targetPort"], "The targetPort of an additional port mapping");
  if (((isTcp && external) || more.some((each) => each["external"])) && !hasNetwork(scope))
    refuse(
      "ContainerAppTcpRequiresVnet",
      "Applications with external TCP ingress can only be deployed to Container App Environments that have a custom " +
        "VNET. Set ingress traffic to 'Limited to Container Apps Environment' if you want to deploy to a Container " +
        "App Environment without a custom VNET.",
    );
  checkExposed(exposedPorts(ingress), scope);
}

/** Reports whether a setting says something: it is not absent, empty, `none` or `ignore`. */
const means = (value: unknown): boolean =>
  typeof value === "object" && value !== null
    ? Object.values(value).some(means)
    : value != null && value !== "" && !is(value, "none") && !is(value, "ignore");

/** Gives the ports that an ingress opens for TCP, each with the port of the replica behind it. */
export function exposedPorts(ingress: Body): readonly { readonly exposed: number; readonly target: number }[] {
  const { transport, targetPort, exposedPort, additionalPortMappings } = ingress;
  const main = is(transport, "tcp") ? [{ targetPort, exposedPort }] : [];
  return [...main, ...((additionalPortMappings ?? []) as Body[])].map((each: Body) => ({
    exposed: Number(each["exposedPort"] || each["targetPort"]),
    target: Number(each["targetPort"]),
  }));
}

function checkExposed(ports: ReturnType<typeof exposedPorts>, { id, environmentId, store }: IngressScope): void {
  for (const { exposed } of ports) {
    checkPort(exposed, "An exposed port");
    if (exposed === 80 || exposed === 443)
      refuseLikeAzure(`Port ${exposed} is for HTTP and cannot be exposed for TCP.`);
  }
  const twice = firstTwice(ports.map(({ exposed }) => exposed));
  if (twice) refuseLikeAzure(`Port ${twice} is exposed twice.`);
  for (const other of othersIn(store, environmentId, id)) {
    const taken = exposedPorts(other.body["properties"]?.configuration?.ingress ?? {});
    const both = ports.find(({ exposed }) => taken.some((each) => each.exposed === exposed));
    if (both) refuseLikeAzure(`Port ${both.exposed} is already exposed by '${other.body["name"]}' in the environment.`);
  }
}

/** Gives the other container apps of an environment. */
const othersIn = (store: Store, environmentId: string, id: string): readonly { readonly body: Body }[] =>
  store
    .list()
    .filter(
      (each) =>
        each.type === "Microsoft.App/containerApps" &&
        each.id.toLowerCase() !== id.toLowerCase() &&
        is(environmentIdOf(each.body), environmentId.toLowerCase()),
    );

const hasNetwork = ({ store, environmentId }: IngressScope): boolean =>
  Boolean(store.get(environmentId)?.body["properties"]?.vnetConfiguration?.infrastructureSubnetId);

/** Reads an IPv4 address or range; undefined when it is none. */
export function readRange(text: string): { readonly from: number; readonly to: number } | undefined {
  const [, address = "", length = "32"] = /^(\d{1,3}(?:\.\d{1,3}){3})(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => part > 255) || Number(length) > 32) return undefined;
  const size = 2 ** (32 - Number(length));
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  const from = value - (value % size);
  return { from, to: from + size - 1 };
}

function checkCallers(rules: readonly Body[]): void {
  if (rules.some(({ name }) => !name)) refuseLikeAzure("A rule of ipSecurityRestrictions has no name.");
  for (const { name, ipAddressRange } of rules)
    if (!readRange(String(ipAddressRange)))
      refuseLikeAzure(`The rule '${name}' has the range '${ipAddressRange}', which is no IPv4 address or CIDR range.`);
  if (new Set(rules.map(({ action }) => String(action).toLowerCase())).size > 1)
    refuseLikeAzure("Rules of ipSecurityRestrictions either all allow or all deny.");
  const twice = firstTwice(rules.map(({ name }) => name));
  if (twice) refuseLikeAzure(`Two rules of ipSecurityRestrictions are named '${twice}'.`);
}

function checkDomains(domains: readonly Body[], scope: IngressScope): void {
  const { id, environmentId, suffix, store } = scope;
  for (const { name, bindingType, certificateId } of domains) {
    const isName = /^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;
    if (!isName.test(String(name)) || String(name).toLowerCase().endsWith(`.${suffix}`))
      refuseLikeAzure(`The custom domain '${name}' is not a host name outside of Azure's own domain.`);
    if (is(bindingType, "snienabled") && !certificateId)
      refuseLikeAzure(`The custom domain '${name}' is bound by SNI, which needs a certificateId.`);
    if (is(bindingType, "auto") && !certificateId) refuseUnsupported("custom domains with a managed certificate");
    if (certificateId) checkCertificate(String(name), String(certificateId), scope);
    const other = othersIn(store, environmentId, id).find(({ body }) =>
      ((body["properties"]?.configuration?.ingress?.customDomains ?? []) as Body[]).some((each) =>
        is(each["name"], String(name).toLowerCase()),
      ),
    );
    if (other) refuseLikeAzure(`The custom domain '${name}' is already one of '${other.body["name"]}'.`);
  }
  const twice = firstTwice(domains.map(({ name }) => name));
  if (twice) refuseLikeAzure(`The custom domain '${twice}' is there twice.`);
}

function checkCertificate(domain: string, certificateId: string, { environmentId, store }: IngressScope): void {
  const found = store.get(certificateId);
  const certificate = found?.type === "Microsoft.App/managedEnvironments/certificates" ? found : undefined;
  if (!certificateId.toLowerCase().startsWith(`${environmentId.toLowerCase()}/`))
    refuseLikeAzure(`The certificate '${certificateId}' is not one of the app's environment.`);
  if (!certificate) refuseLikeAzure(`The certificate '${certificateId}' does not exist.`);
  const { subjectAlternativeNames = [], subjectName = "" } = certificate!.body["properties"];
  const names: readonly string[] = [...subjectAlternativeNames, String(subjectName).replace(/^.*CN=/, "")];
  if (!names.some((name) => coversHost(name.toLowerCase(), domain.toLowerCase())))
    refuseLikeAzure(`The certificate '${certificateId}' is not for '${domain}': it names ${names.join(", ")}.`);
}

/** Reports whether a name of a certificate covers a host; `*` stands for one label. */
const coversHost = (name: string, host: string): boolean =>
  name === host || (name.startsWith("*.") && host.includes(".") && host.slice(host.indexOf(".")) === name.slice(1));
