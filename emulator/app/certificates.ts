// Microsoft.App/managedEnvironments/certificates: certificates that custom domains are bound to. What a certificate
// says of itself is read from it. The ingress shows clients the emulator's own certificate for the same name, since
// only that authority is trusted by them.
import { createHash, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { Body, Cloud, Resource, ResourceType } from "../arm/resource.ts";
import { certificateFields } from "./contract/environment-fields.ts";
import { refuseLikeAzure } from "./contract/refusals.ts";

/** Certificates of environments, as Resource Manager serves them. */
export const certificateType: ResourceType = {
  type: "Microsoft.App/managedEnvironments/certificates",
  apiVersions: ["2025-01-01", "2025-02-02-preview", "2025-07-01"],
  fields: certificateFields,
  onPut: async ({ wanted, previous, cloud }) => {
    const properties: Body = wanted["properties"];
    // A change of its tags does not repeat the certificate.
    const value: unknown = properties["value"] ?? previous?.body["properties"].value;
    const password: unknown = properties["password"] ?? previous?.body["properties"].password;
    const certificate = readCertificate(value, password);
    if (!certificate) refuseLikeAzure(`The certificate '${wanted["name"]}' is no PFX or PEM that the password opens.`);
    wanted["properties"] = { ...properties, value, password, ...describe(certificate!, cloud.clock.now()) };
  },
  onDelete: async ({ id, body }, cloud) => {
    const user = userOf(cloud, id);
    if (user)
      refuseLikeAzure(`The certificate '${body["name"]}' is bound to a custom domain of '${user.body["name"]}'.`);
  },
  present: ({ body }) => {
    const { value: _value, password: _password, ...properties } = body["properties"];
    return { ...body, properties };
  },
};

/** Reads a certificate with its private key from base64; undefined when it is none. */
function readCertificate(value: unknown, password: unknown): X509Certificate | undefined {
  const bytes = Buffer.from(String(value ?? ""), "base64");
  const passphrase = String(password ?? "");
  const text = bytes.toString("latin1");
  try {
    if (text.includes("-----BEGIN")) {
      createSecureContext({ cert: text, key: text, passphrase });
      return new X509Certificate(bytes);
    }
    const { context } = createSecureContext({ pfx: bytes, passphrase });
    const der = (context as { getCertificate(): Buffer | null }).getCertificate();
    return der ? new X509Certificate(der) : undefined;
  } catch {
    return undefined;
  }
}

function describe(certificate: X509Certificate, now: number): Body {
  const { subject, subjectAltName = "", issuer, validFrom, validTo, raw, publicKey } = certificate;
  return {
    subjectName: subject.replaceAll("\n", ", "),
    subjectAlternativeNames: [...subjectAltName.matchAll(/DNS:([^,]+)/g)].map(([, name]) => name),
    issuer: issuer.replaceAll("\n", ", "),
    issueDate: new Date(validFrom).toISOString(),
    expirationDate: new Date(validTo).toISOString(),
    thumbprint: createHash("sha1").update(raw).digest("hex").toUpperCase(),
    valid: Date.parse(validFrom) <= now && now < Date.parse(validTo),
    publicKeyHash: createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("base64"),
  };
}

/** Finds the app with a custom domain that is bound to a certificate. */
const userOf = ({ store }: Cloud, id: string): Resource | undefined =>
  store
    .list()
    .find(({ body }) =>
      ((body["properties"]?.configuration?.ingress?.customDomains ?? []) as Body[]).some(
        ({ certificateId }) => String(certificateId).toLowerCase() === id.toLowerCase(),
      ),
    );
