// The emulator's certificate authority: one private CA for each cloud, and a certificate for each requested host name.
// It encodes X.509 as DER in forty lines; libraries for that bring a dozen packages each. A kept cloud stores its
// authority (persistence/state.ts); the servers' keys are new at every start.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

// Clients refuse server certificates that are valid for more than 397 days.
const daysValid = 397;
// That limit does not apply to authorities, and a kept cloud should outlive it.
const authorityDaysValid = 3650;
const hostNamesMax = 1000;

/** An authority with its private key. The key can impersonate any host to clients that trust the certificate. */
export interface Authority {
  readonly name: string;
  readonly caPem: string;
  readonly keyPem: string;
}

/** Issues the certificates of one authority. */
export interface Certificates {
  /** The CA's certificate, for NODE_EXTRA_CA_CERTS and similar settings. */
  readonly caPem: string;
  /** Gives the TLS context of a host; it is made at the first call and kept. */
  readonly contextOf: (hostName: string) => SecureContext;
  /** The key and certificate of localhost and 127.0.0.1, for clients that send no server name. */
  readonly localhost: { readonly key: string; readonly cert: string };
}

function lengthBytes(length: number): readonly number[] {
  if (length < 128) return [length];
  return length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
}

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const explicit = (number: number, ...parts: readonly Buffer[]): Buffer => der(0xa0 | number, ...parts);
const octets = (content: Buffer): Buffer => der(0x04, content);
const bits = (unused: number, content: Buffer): Buffer => der(0x03, Buffer.from([unused]), content);
const integer = (content: Buffer): Buffer => der(0x02, content);
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const isTrue = der(0x01, Buffer.from([0xff]));
/** Encodes a time as UTCTime, which ends in 2050; GeneralizedTime is not needed. */
const time = (at: Date): Buffer => der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));
const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(identifier("550403"), der(0x0c, Buffer.from(name)))));
const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(identifier(id), ...(critical ? [isTrue] : []), octets(value));
const ecdsaWithSha256 = sequence(identifier("2a8648ce3d040302"));

const authorityExtensions = [
  extension("551d13", true, sequence(isTrue)),
  extension("551d0f", true, bits(1, Buffer.from([0x06]))),
];
const serverExtensions = (names: readonly Buffer[]): readonly Buffer[] => [
  extension("551d13", true, sequence()),
  extension("551d0f", true, bits(7, Buffer.from([0x80]))),
  extension("551d25", false, sequence(identifier("2b06010505070301"))),
  extension("551d11", false, sequence(...names)),
];

function makeCertificate(
  subject: string,
  issuer: string,
  extensions: readonly Buffer[],
  publicKey: KeyObject,
  issuerKey: KeyObject,
  days = daysValid,
): string {
  // A minute back, since a client's clock may be slightly behind.
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(notBefore.getTime() + days * 86_400_000);
  const serialNumber = randomBytes(16);
  serialNumber[0] = 0x40 | (serialNumber[0]! & 0x3f);
  const toSign = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(notBefore), time(notAfter)),
    commonName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions)),
  );
  const certificate = sequence(toSign, ecdsaWithSha256, bits(0, sign("sha256", toSign, issuerKey)));
  const lines = certificate.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Makes a new authority with new keys. */
export function makeAuthority(suffix: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // The name is unique: a client that still trusts an earlier cloud's CA of the
  // same name would try that CA's key and fail.
  const name = `Ballast emulator ${randomBytes(6).toString("hex")} (${suffix})`;
  return {
    name,
    caPem: makeCertificate(name, name, authorityExtensions, publicKey, privateKey, authorityDaysValid),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

/** Starts issuing with an authority. */
export function makeCertificates({ name: issuer, caPem, keyPem }: Authority): Certificates {
  const authorityKey = createPrivateKey(keyPem);
  // One key pair serves every host, since all hosts are this one process.
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = server.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const contexts = new Map<string, SecureContext>();
  const issue = (hostName: string, ...names: readonly Buffer[]): { key: string; cert: string } => ({
    key,
    cert: makeCertificate(
      hostName.slice(0, 64),
      issuer,
      serverExtensions([der(0x82, Buffer.from(hostName)), ...names]),
      server.publicKey,
      authorityKey,
    ),
  });
  return {
    caPem,
    localhost: issue("localhost", der(0x87, Buffer.from([127, 0, 0, 1]))),
    contextOf: (hostName) => {
      const name = hostName.toLowerCase();
      const known = contexts.get(name);
      if (known) return known;
      if (contexts.size >= hostNamesMax) contexts.clear();
      const made = createSecureContext({ ...issue(name), sessionIdContext: "ballast" });
      contexts.set(name, made);
      return made;
    },
  };
}
