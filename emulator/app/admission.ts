// Whom the ingress of an app admits: the addresses of callers, and their client certificates. The proxy decides this
// before a request has a revision, so what it refuses never reaches a container.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Body } from "../arm/resource.ts";
import { readRange } from "./contract/ingress.ts";
import type { AppRuntime } from "./revisions.ts";

const ingressOf = ({ configuration }: AppRuntime): Body => configuration["ingress"] ?? {};

/** Reports whether the rules of an app admit the address of a connection. Without rules all are admitted. */
export function admitsAddress(app: AppRuntime, { remoteAddress = "" }: Socket): boolean {
  const rules: readonly Body[] = ingressOf(app)["ipSecurityRestrictions"] ?? [];
  if (rules.length === 0) return true;
  const address = readRange(remoteAddress.replace(/^::ffff:/, "").replace(/^::1$/, "127.0.0.1"));
  const isNamed = rules.some(({ ipAddressRange }) => {
    const range = readRange(String(ipAddressRange));
    return address !== undefined && range !== undefined && range.from <= address.from && address.from <= range.to;
  });
  // All rules have the same action: either only the named addresses are admitted, or all but these.
  return isNamed === (String(rules[0]?.["action"]).toLowerCase() === "allow");
}

type CertificateMode = "ignore" | "accept" | "require";

const modeOf = (app: AppRuntime): CertificateMode =>
  String(ingressOf(app)["clientCertificateMode"] ?? "ignore").toLowerCase() as CertificateMode;

/** Gives the certificate of a client in DER; undefined when it sent none. */
function certificateOf({ socket }: IncomingMessage): Buffer | undefined {
  const { raw } = (socket as Partial<TLSSocket>).getPeerCertificate?.() ?? {};
  return raw;
}

/** Reports whether a request lacks the certificate that its app requires. Any certificate is enough, as on Azure. */
export const lacksCertificate = (app: AppRuntime, request: IncomingMessage): boolean =>
  modeOf(app) === "require" && certificateOf(request) === undefined;

/** Gives the value of X-Forwarded-Client-Cert for an app that wants it; undefined for any other. */
export function forwardedCertificate(app: AppRuntime, request: IncomingMessage): string | undefined {
  const certificate = modeOf(app) === "ignore" ? undefined : certificateOf(request);
  if (!certificate) return undefined;
  const lines = certificate.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  const pem = encodeURIComponent(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
  return `Hash=${createHash("sha256").update(certificate).digest("hex")};Cert="${pem}";Chain="${pem}";`;
}
