// The stand-in's certificate authority: one private CA for one cloud, and a certificate for each host name asked for.
// X.509 is written as DER by hand: it takes forty lines, where the libraries that do it bring a dozen packages each.
// Nothing is written here; a cloud that is to outlive its process keeps its authority itself, and the servers' keys are made anew.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

// Clients refuse server certificates that are valid for longer than 397 days.
const daysValid = 397;
// Not so authorities; a kept cloud should not end because its authority does.
const authorityDaysValid = 3650;
const hostNamesMax = 1000;

/** The keys of an authority: who has them can be any host for whoever trusts its certificate. */
export interface Authority {
  readonly name: string;
  readonly caPem: string;
  readonly keyPem: string;
}

/** A private certificate authority at work. */
export interface Certificates {
  /** The CA's certificate, for NODE_EXTRA_CA_CERTS and the like. */
  readonly caPem: string;
  /** Gives what TLS needs to be this host; made at the first call and kept. */
  readonly contextOf: (hostName: string) => SecureContext;
  /** Key and certificate of localhost and 127.0.0.1, for clients that send no name. */
  readonly localhost: { readonly key: string; readonly cert: string };
}

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const explicit = (number: number, ...parts: readonly Buffer[]): Buffer => der(0xa0 | number, ...parts);
const octets = (content: Buffer): Buffer => der(0x04, content);
const bits = (unused: number, content: Buffer): Buffer => der(0x03, Buffer.from([unused]), content);
const integer = (content: Buffer): Buffer => der(0x02, content);
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const isTrue = der(0x01, Buffer.from([0xff]));
/** 2050 is where UTCTime ends, so GeneralizedTime is not needed. */
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
  // A minute back, since a client's clock may be a little behind ours.
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
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replace(/.{64}/g, "$&\n").trimEnd()}\n-----END CERTIFICATE-----\n`;
}

/** Makes a new authority with keys of its own. */
export function makeAuthority(suffix: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // A name of its own, or a client that still trusts an earlier cloud's CA would try that one's key and give up.
  const name = `Ballast stand-in cloud ${randomBytes(6).toString("hex")} (${suffix})`;
  return {
    name,
    caPem: makeCertificate(name, name, authorityExtensions, publicKey, privateKey, authorityDaysValid),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

/** Lets an authority issue. */
export function makeCertificates({ name: issuer, caPem, keyPem }: Authority): Certificates {
  const authorityKey = createPrivateKey(keyPem);
  // One key pair serves every host: they are all this one process.
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
      const made = createSecureContext(issue(name));
      contexts.set(name, made);
      return made;
    },
  };
}
