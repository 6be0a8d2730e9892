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

/** Today, as a date for the store. */
export const TODAY = dayAfter(0);

/** Returns the UTC date `days` days after today. */
export function dayAfter(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** A migrated database of one test with a store on it. */
export interface TestStore extends AsyncDisposable {
  /** The database, for the test's own queries. */
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
  /** Another port for the server, such as a proxy's. */
  readonly port?: number;
}

/** Creates a database, migrates it and opens a store. */
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

/** Opens another store on an existing database. */
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

/** Creates a row of the contract `login`, with these values in the fields that are named. */
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

/** Creates a rejection with a sealed body. */
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

/** Creates a batch with a new id. */
export function batchOf(
  events: readonly EventRow[],
  rejections: readonly RejectedRow[] = [],
  originals: readonly OriginalRow[] = [],
): Batch {
  return { id: crypto.randomUUID(), events, rejections, originals };
}

/** Counts the rows, rejections, ledger entries and keys. */
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
  if (!counts) throw new Error("Expected one row of counts, got none");
  return counts;
}
