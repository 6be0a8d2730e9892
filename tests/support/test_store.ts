import { login } from "../../lib/contract/login.ts";
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
} from "../../lib/store/postgres/database.ts";
import { PostgresStore } from "../../lib/store/postgres/postgres_store.ts";
import type {
  Batch,
  ColumnValue,
  EventRow,
  OriginalRow,
  RejectedRow,
} from "../../lib/store/store.ts";
import { toStoredTable } from "../../lib/worker/contract.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { createMigratedDatabase } from "./template.ts";
import type { TestDatabase } from "./test_database.ts";

/** The table of the contract `login`. */
export const loginTable = toStoredTable(login);

/** Today, as the store takes dates. */
export const TODAY = dayAfter(0);

/** The UTC date so many days after today. */
export function dayAfter(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** A migrated database of one test with a store on it. */
export interface TestStore extends AsyncDisposable {
  /** The database as a test looks into it. */
  readonly inside: TestDatabase;
  /** The connections of the store. */
  readonly database: Database;
  readonly store: PostgresStore;
}

/** Options of {@linkcode createStore}. */
export interface TestStoreOptions {
  readonly dedupe?: boolean;
  readonly vault?: boolean;
  /** Default 20. */
  readonly statementSeconds?: number;
  /** Another way to the server, such as a proxy's port. */
  readonly port?: number;
}

/** Makes a database, migrates it and opens a store. */
export async function createStore(
  server: PostgresServer,
  options: TestStoreOptions = {},
): Promise<TestStore> {
  const inside = await createMigratedDatabase(server, "store");
  const { database, store } = openStore(inside, options);
  return {
    inside,
    database,
    store,
    async [Symbol.asyncDispose]() {
      await store.close();
      await inside.drop();
    },
  };
}

/** Opens one more store on a database that is there. */
export function openStore(
  inside: TestDatabase,
  { dedupe = false, vault = false, statementSeconds = 20, port }: TestStoreOptions = {},
): { database: Database; store: PostgresStore } {
  const url = new URL(inside.url);
  if (port !== undefined) url.port = String(port);
  const database = open({ url, statementSeconds });
  return { database, store: new PostgresStore(database, loginTable, { dedupe, vault }) };
}

/** Opens a database with two connections. */
export function open(
  { url, connections = 2, statementSeconds = 20 }: Partial<DatabaseOptions> & { url: URL },
): Database {
  return openDatabase({ url, connections, statementSeconds });
}

/** A row of the contract `login`, with values of its own in the fields that are named. */
export function eventRow(id: string, more: Partial<EventRow> & LoginValues = {}): EventRow {
  const { dateSent = TODAY, key, user = `user-${id}`, locale = "DE", version = 1_002_003 } = more;
  const { ip = `k1.ip-${id}`, device = `k1.device-${id}`, type = "android" } = more;
  const values = more.values ?? [user, type, ip, device, locale, version];
  return { id, dateSent, values, ...(key === undefined ? {} : { key }) };
}

interface LoginValues {
  readonly user?: string;
  readonly type?: string;
  readonly ip?: string;
  readonly device?: string;
  readonly locale?: ColumnValue;
  readonly version?: ColumnValue;
}

/** A rejection whose body is sealed. */
export function rejectedRow(id: string, more: Partial<RejectedRow> = {}): RejectedRow {
  return {
    id,
    dateSent: TODAY,
    sentAt: Date.UTC(2026, 1, 3, 4, 5, 6, 789),
    receiveCount: 1,
    reason: "missing",
    field: "user_id",
    storeCode: null,
    sealed: { bytes: Uint8Array.of(0, 255, 92, 34), keyId: "v1" },
    ...more,
  };
}

/** A batch under a new id. */
export function batchOf(
  events: readonly EventRow[],
  rejections: readonly RejectedRow[] = [],
  originals: readonly OriginalRow[] = [],
): Batch {
  return { id: crypto.randomUUID(), events, rejections, originals };
}

/** How many rows, rejections, ledger entries and keys there are. */
export async function countAll(
  { inside }: Pick<TestStore, "inside">,
): Promise<{ rows: number; rejected: number; ledger: number; keys: number }> {
  const [counts] = await inside.query<
    { rows: number; rejected: number; ledger: number; keys: number }
  >(
    `SELECT (SELECT count(*)::integer FROM user_logins) AS rows,
      (SELECT count(*)::integer FROM maskline.rejected) AS rejected,
      (SELECT count(*)::integer FROM maskline.ledger) AS ledger,
      (SELECT count(*)::integer FROM maskline.dedupe) AS keys`,
  );
  if (!counts) throw new Error("The counts did not come");
  return counts;
}
