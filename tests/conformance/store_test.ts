import type { Database } from "../../lib/store/postgres/database.ts";
import { VaultFirstStore } from "../../lib/store/postgres/vault_first_store.ts";
import type { EventRow, Store } from "../../lib/store/store.ts";
import { FakeStore } from "../support/fake_store.ts";
import { openSession } from "../support/open_session.ts";
import { until } from "../support/progress.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";
import {
  batchOf,
  createStore,
  eventRow,
  open,
  openStore,
  rejectedRow,
  type TestStoreOptions,
} from "../support/test_store.ts";
import { type Stored, type StoreUnderTest, testStore } from "./store.ts";

const server = await sharedPostgres();

testStore("FakeStore", openFake, { keys: true, originals: "with rows" });
testStore("PostgresStore", () => openPostgres({ vault: true }), { originals: "with rows" });
testStore(
  "PostgresStore, dedupe",
  () => openPostgres({ vault: true, dedupe: true }),
  { keys: true, originals: "with rows" },
);
testStore("VaultFirstStore", () => openVaultFirst(), { originals: "before rows" });

async function openFake(): Promise<StoreUnderTest> {
  const store = new FakeStore();
  const sorted = (values: Iterable<unknown>) => [...values].map(String).sort();
  return {
    store,
    another: async () => store,
    read: async () => ({
      rows: sorted(store.rows.map(({ values }) => values[0])),
      rejections: sorted(store.rejections.map(({ id }) => id)),
      originals: sorted(
        store.originals.values().map(({ mask, sealed }) =>
          `${mask} ${new TextDecoder().decode(sealed)}`
        ),
      ),
    }),
    spoil(event) {
      store.badRows.add(event.id);
      return event;
    },
    loseNextAnswer: () => void store.failures.push({ kind: "transient", committed: true }),
    async makeUnavailable() {
      store.away = true;
      return async () => void (store.away = false);
    },
    async breakPermanently() {
      store.broken = true;
    },
    async hold() {
      const release = store.hold();
      return {
        underWay: async () => void await until(async () => store.committing, (count) => count > 0),
        release: async () => release(),
      };
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** The setup of a store: optionally a vault in a second database. */
interface StoreSetup {
  readonly vault?: Awaited<ReturnType<typeof createStore>>;
  readonly wrap: (store: Store, rows: Database) => Store;
}

async function openPostgres(
  options: TestStoreOptions,
  { vault, wrap }: StoreSetup = { wrap: (store) => store },
): Promise<StoreUnderTest> {
  const proxy = startTcpProxy(server.port);
  const rows = await createStore(server, { ...options, port: proxy.port });
  const { inside } = rows;
  const store = wrap(rows.store, rows.database);
  // Opens a connection and creates the days' partitions, so that the next answer is that of a commit. It
  // leaves two entries in the ledger and nothing else.
  await store.commit(batchOf([], [
    rejectedRow("first", { sealed: null }),
    rejectedRow("first of its day", { sealed: null, dateSent: eventRow("").dateSent }),
  ]));
  const others: Store[] = [];
  let table = "user_logins";
  const fromOutside = async (sql: string) => {
    await using session = await openSession(server.url);
    await session.query(sql);
  };
  return {
    store,
    async another() {
      const opened = openStore(inside, options);
      const other = wrap(opened.store, opened.database);
      others.push(other);
      return other;
    },
    async read() {
      const list = async (from: typeof inside, sql: string) =>
        (await from.query<{ text: string }>(sql)).map(({ text }) => text).sort();
      return {
        rows: await list(inside, `SELECT user_id AS text FROM ${table}`),
        rejections: await list(inside, "SELECT message_id AS text FROM maskline.rejected"),
        originals: await list(
          vault?.inside ?? inside,
          "SELECT mask || ' ' || convert_from(sealed, 'UTF8') AS text FROM maskline.vault",
        ),
      } satisfies Stored;
    },
    // The column takes 32 characters.
    spoil: ({ values: [user = null, , ...rest], ...event }, text): EventRow => ({
      ...event,
      values: [user, text.padEnd(33, "x"), ...rest],
    }),
    loseNextAnswer: () => proxy.cutAfter(1),
    async makeUnavailable() {
      // As after a failover: connections are cut, and new ones reach a server that is read-only.
      await fromOutside(`ALTER DATABASE ${inside.name} SET default_transaction_read_only = on`);
      await fromOutside(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${inside.name}'`,
      );
      return () => fromOutside(`ALTER DATABASE ${inside.name} RESET default_transaction_read_only`);
    },
    async breakPermanently() {
      table = "renamed";
      await inside.query(`ALTER TABLE user_logins RENAME TO ${table}`);
    },
    async hold() {
      const session = await openSession(inside.url);
      await session.query("BEGIN; LOCK TABLE maskline.ledger IN ACCESS EXCLUSIVE MODE");
      const waiting = `SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
        WHERE NOT granted AND datname = current_database()`;
      return {
        underWay: async () =>
          void await until(() => inside.query(waiting), (all) => all.length > 0),
        release: () => session.end(),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const other of others) await other.close();
      await store.close();
      await inside.drop();
      await vault?.[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Opens the same store with the vault in a second database. */
async function openVaultFirst(): Promise<StoreUnderTest> {
  const vault = await createStore(server);
  const wrap: StoreSetup["wrap"] = (store, rows) =>
    new VaultFirstStore({ store, rows, vault: open({ url: new URL(vault.inside.url) }) });
  return await openPostgres({}, { vault, wrap });
}
