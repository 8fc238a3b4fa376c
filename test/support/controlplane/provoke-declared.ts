// Every answer of the calls about what programs declare, for the test that compares them with the API's description.
import type { Declarations } from "../../../controlplane/runtime/declarations.ts";
import { read } from "../../../engines/form.ts";
import { completedCredential } from "../../../engines/rotation/declaration.ts";
import { unreadCredential } from "../../../engines/rotation/declared.ts";
import { credentialUnprepared, credentialVaultClosed, replicaEnding } from "../../../errors/api.ts";
import { journalChainBroken, journalEngineFailed, journalFactUnknown } from "../../../errors/journal.ts";
import { type Service, stream } from "./service.ts";

const credential = "/credentials/kv/database";
const declaration = {
  server: "shop.postgres.database.azure.com",
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  consumers: [{ resourceGroup: "shop", app: "api" }],
};

/** How services are opened, one that cannot check tokens, and tokens that are refused. */
interface Services {
  readonly service: (changes?: Partial<Service["parts"]>) => Service;
  readonly deaf: Service;
  readonly refused: readonly string[];
}

/** Provokes every answer of the calls about what programs declare. */
export async function provokeDeclared({ service, deaf, refused }: Services): Promise<void> {
  const parsed = read(completedCredential, { vault: "kv", credential: "database", ...declaration });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  const shown = unreadCredential(parsed.value, "a test wants it");
  const known: Declarations = {
    put: async () => ({ value: shown }),
    show: async () => shown,
    list: async () => [parsed.value],
    remove: async () => true,
    targets: async () => [],
  };
  const failingWith = (thrown: Error): Declarations => {
    const fail = () => Promise.reject(thrown);
    return { put: fail, show: fail, list: fail, remove: fail, targets: fail };
  };
  const why = "a test wants it";
  const lost = Object.assign(new Error("the connection broke"), { code: "ECONNRESET" });
  const each: readonly (Declarations | undefined)[] = [
    undefined,
    known,
    ...[
      credentialUnprepared({ credential: "database", server: "s", why }),
      credentialVaultClosed({ credential: "database", vault: "kv", why }),
    ].map((error): Declarations => ({ ...known, put: async () => ({ refused: error, status: 409 }) })),
    ...[
      new Error("broken inside"),
      lost,
      replicaEnding(),
      journalFactUnknown({ stream, index: 0, why }),
      journalChainBroken({ stream, index: 0, why }),
      journalEngineFailed({ stream, why }),
    ].map(failingWith),
  ];
  for (const [method, to, sent] of [
    ["PUT", credential, declaration],
    ["GET", "/credentials", undefined],
    ["GET", credential, undefined],
    ["DELETE", credential, undefined],
  ] as const) {
    const plain = service({ declarations: { credentials: known } });
    await plain.app.request(to, { method });
    await deaf.call(method, to, sent);
    for (const bearer of refused) await plain.call(method, to, sent, bearer);
    if (to === credential) await plain.call(method, to.replace("/kv", "/%00"), sent);
    if (sent !== undefined) {
      await plain.call(method, to, "x".repeat(70_000));
      await plain.call(method, to, sent, undefined, { "content-type": "text/plain" });
    }
    for (const declarations of each) {
      if (method !== "PUT" && isJournalTrouble(declarations)) continue;
      const parts = declarations === undefined ? {} : { declarations: { credentials: declarations } };
      await service(parts).call(method, to, sent);
    }
  }

  /** Only a declaration reads journals: it may begin a rotation. */
  function isJournalTrouble(declarations: Declarations | undefined): boolean {
    return declarations !== undefined && each.indexOf(declarations) >= each.length - 3;
  }
}
