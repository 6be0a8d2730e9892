import { login } from "../../lib/contract/login.ts";
import { createFastMasker } from "../../lib/mask/fast_mask.ts";
import { migrate } from "../../lib/store/postgres/migrate.ts";
import { VaultFirstStore } from "../../lib/store/postgres/vault_first_store.ts";
import type { EventRow, OriginalRow } from "../../lib/store/store.ts";
import { createKeyChain } from "../../lib/vault/open.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import type { PostgresServer } from "./postgres_server.ts";
import type { TestDatabase } from "./test_database.ts";
import { createMigratedDatabase } from "./template.ts";
import { batchOf, eventRow, open, openStore, TODAY } from "./test_store.ts";

/** A login with its personal values in clear. A value that is null becomes SQL `NULL`. */
export interface ClearLogin {
  readonly user: string;
  readonly ip?: string | null;
  readonly device?: string | null;
}

/** Databases with rows and a vault, as a worker writes them. */
export interface FilledVault extends AsyncDisposable {
  /** The rows, the ledger and the rejections. */
  readonly rows: TestDatabase;
  /** The vault and the audit log: the same database unless `apart` was set. */
  readonly vault: TestDatabase;
  /** `DATABASE_URL`, and `VAULT_DATABASE_URL` if the vault has its own database. */
  readonly settings: Readonly<Record<string, string>>;
  maskOf(field: "ip" | "device_id", original: string): string;
  /** Creates a batch of logins for a store, with their originals unless `vault` is false. */
  batch(logins: readonly ClearLogin[], options?: BringOptions): Promise<ReturnType<typeof batchOf>>;
  /** Commits logins. */
  bring(logins: readonly ClearLogin[], options?: BringOptions): Promise<void>;
  /** Opens the originals in the vault, as `ip 203.0.113.7` in alphabetical order. */
  originals(): Promise<string[]>;
}

/** Whether originals are stored in the vault. Default: true. */
interface BringOptions {
  readonly vault?: boolean;
}

const fields = login.fields.filter(({ personal }) => personal).map(({ name }) => name);
const masker = await createFastMasker({
  ring: [{ id: "k1", bytes: crypto.getRandomValues(new Uint8Array(32)) }],
  fields,
});
const keys = await generateVaultKeys();
const sealer = await createSealer({ id: "v1", bytes: keys.publicKey });
const chain = createKeyChain([{ id: "v1", bytes: keys.privateKey }]);

/** Creates a migrated database, or two with `apart`, and fills them with logins. */
export async function fillVault(
  server: PostgresServer,
  logins: readonly ClearLogin[] = [],
  { apart = false }: { readonly apart?: boolean } = {},
): Promise<FilledVault> {
  const rows = await createMigratedDatabase(server, "rows");
  const vault = apart ? await createVaultAlone(server) : rows;
  let count = 0;
  const filled: FilledVault = {
    rows,
    vault,
    settings: { DATABASE_URL: rows.url, ...(apart ? { VAULT_DATABASE_URL: vault.url } : {}) },
    maskOf: (field, original) => masker.mask(field, original),
    async batch(more, { vault: kept = true } = {}) {
      const messages = more.map((clear) => ({ id: `m${count++}`, ...clear }));
      return batchOf(messages.map(rowOf), [], kept ? await sealedOf(messages) : []);
    },
    async bring(more, options) {
      const inRows = openStore(rows, { vault: !apart });
      const store = apart
        ? new VaultFirstStore({
          store: inRows.store,
          rows: inRows.database,
          vault: open({ url: new URL(vault.url) }),
        })
        : inRows.store;
      try {
        await store.commit(await filled.batch(more, options));
      } finally {
        await store.close();
      }
    },
    async originals() {
      const found = await vault.query<
        { field: string; mask: string; sealed: Uint8Array; key_id: string }
      >("SELECT field, mask, sealed, key_id FROM maskline.vault");
      const opened = found.map(async ({ field, mask, sealed, key_id }) =>
        `${field} ${await chain.open(new Uint8Array(sealed), key_id, { field, mask })}`
      );
      return (await Promise.all(opened)).sort();
    },
    async [Symbol.asyncDispose]() {
      await rows.drop();
      if (apart) await vault.drop();
    },
  };
  if (logins.length > 0) await filled.bring(logins);
  return filled;
}

async function createVaultAlone(server: PostgresServer): Promise<TestDatabase> {
  const vault = await server.createDatabase("vault");
  const database = open({ url: new URL(vault.url) });
  await migrate(database);
  await database.close();
  return vault;
}

type Message = ClearLogin & { readonly id: string };

function valuesOf({ ip, device }: ClearLogin): [field: string, original: string][] {
  const values = [["ip", ip], ["device_id", device]] as const;
  return values.flatMap(([field, original]) => original ? [[field, original]] : []);
}

function rowOf(message: Message): EventRow {
  const masks = new Map(
    valuesOf(message).map(([field, original]) => [field, masker.mask(field, original)]),
  );
  const { id, user } = message;
  const ip = masks.get("ip") ?? null;
  const device = masks.get("device_id") ?? null;
  return eventRow(id, { values: [user, "android", ip, device, "DE", 1_002_003] });
}

async function sealedOf(messages: readonly Message[]): Promise<OriginalRow[]> {
  const batch = await sealer.startBatch();
  return messages.flatMap((message) =>
    valuesOf(message).map(([field, original]) => {
      const mask = masker.mask(field, original);
      const sealed = batch.seal(original, { field, mask });
      return { id: message.id, dateSent: TODAY, field, mask, sealed, keyId: sealer.keyId };
    })
  );
}
