// The forms of the arguments about databases: the server of the journal, and the jobs that prepare and change one.
import { databaseSku } from "../../defaults.ts";
import { flag, list, number, type Objection, object, oneOf, optional, text } from "../../engines/form.ts";
import { input, inputs, parts, plain } from "../arguments.ts";
import { host, image, imageName, place, port, pull, secret, word } from "../shared-forms.ts";

export const journalDatabase = object(
  {
    ...place,
    sku: optional(
      plain(
        text("an Azure size that begins with Standard_B, Standard_D or Standard_E", {
          pattern: "^Standard_[BDE]\\w+$",
        }),
      ),
    ),
    backupRetentionDays: optional(plain(number({ least: 7, most: 35, whole: true }))),
    zoneRedundant: optional(plain(flag())),
    network: optional(inputs({ subnet: input(word), zone: input(word) })),
    tenant: plain(word),
    password: optional(secret),
  },
  {
    check: ({ sku = databaseSku, zoneRedundant = false }): readonly Objection[] =>
      zoneRedundant && sku.startsWith("Standard_B")
        ? [`sku (${sku}) is a burstable size, which cannot be zoneRedundant.`]
        : [],
  },
);

export const databaseRole = object({
  ...place,
  tenant: plain(word),
  image,
  pull,
  environmentId: input(word),
  database: inputs({ serverName: input(word), host: input(host), name: input(word) }),
  grantee: inputs({ name: input(word), objectId: input(word) }),
  credentials: optional(
    parts(
      list(
        parts(
          object({
            owner: plain(word),
            a: plain(word),
            b: plain(word),
            migrator: optional(inputs({ name: input(word), objectId: input(word) })),
          }),
        ),
        { least: 1 },
      ),
    ),
  ),
});

export const databaseAccess = parts(
  object({
    host: input(host),
    name: input(word),
    port: optional(port),
    tls: optional(plain(oneOf(["require", "disable"]))),
    login: optional(parts(object({ user: plain(word), password: secret }))),
  }),
);

/** A day is the longest that a phase may take: what locks a table for longer is no migration. */
const minutesMax = 1_440;

export const databaseMigration = object({
  ...place,
  image: input(imageName),
  pull,
  environmentId: input(word),
  database: databaseAccess,
  folder: optional(plain(text("a path within the image", { pattern: "^[^-\\s][^\\s]*$" }))),
  minutes: optional(plain(number({ least: 1, most: minutesMax, whole: true }))),
});
