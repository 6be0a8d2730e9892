import { statement } from "../../../lib/store/postgres/statement.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import type { Database } from "../../../lib/store/postgres/database.ts";
import { StoreError } from "../../../lib/store/store.ts";
import { until } from "../../support/progress.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { startTcpProxy } from "../../support/tcp_proxy.ts";
import { open } from "../../support/test_store.ts";

const server = await sharedPostgres();
const url = new URL(server.url);

const sleep = statement("SELECT pg_sleep(30)");
const one = statement("SELECT 1 AS number");

/** Returns the URL of the server through a proxy. */
function through(port: number): URL {
  const other = new URL(url);
  other.port = String(port);
  return other;
}

async function using<T>(database: Database, work: (database: Database) => Promise<T>): Promise<T> {
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Counts the statements of this test that sleep, on another connection. */
async function sleeping(name: string): Promise<number> {
  return await using(open({ url }), async (other) => {
    const [row] = await other.query<{ count: number }>(
      statement(
        "SELECT count(*)::integer FROM pg_stat_activity WHERE state = 'active' AND query = $1",
      ),
      [`SELECT pg_sleep(30) -- ${name}`],
    );
    return row?.count ?? 0;
  });
}

Deno.test("query() returns each row as an object by column name when there are rows", async () => {
  await using(open({ url }), async (database) => {
    deepStrictEqual(
      await database.query(
        statement("SELECT $1::text AS name, n FROM generate_series(1, 2) AS n"),
        [
          "a",
        ],
      ),
      [{ name: "a", n: 1 }, { name: "a", n: 2 }],
    );
  });
});

Deno.test("query() names the application when pg_stat_activity is read", async () => {
  await using(open({ url }), async (database) => {
    deepStrictEqual(
      await database.query(statement("SELECT current_setting('application_name') AS name")),
      [{ name: "maskline" }],
    );
  });
});

Deno.test("query() returns the same bytes when they are a value or an element of an array", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  await using(open({ url }), async (database) => {
    const [row] = await database.query<{ alone: Uint8Array; listed: Uint8Array }>(
      statement("SELECT $1::bytea AS alone, ($2::bytea[])[2] AS listed"),
      [bytes, [null, bytes]],
    );
    deepStrictEqual(new Uint8Array(row?.alone ?? []), bytes);
    deepStrictEqual(new Uint8Array(row?.listed ?? []), bytes);
  });
});

Deno.test("query() is transient when the server ends the statement after its time", async () => {
  await using(open({ url, statementSeconds: 1 }), async (database) => {
    await rejects(() => database.query(sleep), { kind: "transient", code: "57014" });
  });
});

Deno.test("query() is transient, and drops the connection, when nothing answers", async () => {
  await using proxy = startTcpProxy(server.port);
  await using(open({ url: through(proxy.port), statementSeconds: 1 }), async (database) => {
    await database.query(one);
    proxy.blackHole = true;
    await rejects(() => database.query(one), { kind: "transient", code: "connection_lost" });
    await until(() => Promise.resolve(proxy.cuts), (cuts) => cuts === 1);
    proxy.blackHole = false;
    deepStrictEqual(await database.query(one), [{ number: 1 }]);
  });
});

Deno.test("query() is transient when the connection is cut during an answer", async () => {
  await using proxy = startTcpProxy(server.port);
  await using(open({ url: through(proxy.port) }), async (database) => {
    await database.query(one);
    proxy.cutAfter(10);
    await rejects(() => database.query(one), { kind: "transient" });
    deepStrictEqual(await database.query(one), [{ number: 1 }]);
  });
});

Deno.test("query() reconnects when the connection broke while it was idle", async () => {
  await using proxy = startTcpProxy(server.port);
  await using(open({ url: through(proxy.port), connections: 1 }), async (database) => {
    await database.query(one);
    proxy.cut();
    await until(
      () => database.query(one).catch((error) => error),
      (answer) => Array.isArray(answer),
    );
  });
});

Deno.test("query() is transient when no server listens", async () => {
  const proxy = startTcpProxy(server.port);
  await proxy[Symbol.asyncDispose]();
  await using(open({ url: through(proxy.port) }), async (database) => {
    await rejects(() => database.query(one), { kind: "transient", code: "ECONNREFUSED" });
  });
});

Deno.test("transaction() rolls back when its work throws", async () => {
  await using inside = await server.createDatabase();
  await using(open({ url: new URL(inside.url) }), async (database) => {
    await rejects(
      () =>
        database.transaction(async (connection) => {
          await connection.query(statement("CREATE TABLE left_behind ()"));
          throw new RangeError("changed my mind");
        }),
      { name: "RangeError" },
    );
    deepStrictEqual(
      await database.query(statement("SELECT to_regclass('left_behind')::text AS name")),
      [{ name: null }],
    );
  });
});

Deno.test("transaction() is transient when the connection is cut during a statement", async () => {
  await using proxy = startTcpProxy(server.port);
  await using(open({ url: through(proxy.port) }), async (database) => {
    const cut = database.transaction(async (connection) => {
      await connection.query(one);
      const asking = connection.query(sleep);
      proxy.cut();
      await asking;
    });
    // An earlier version ended here: no code listened to the connection's own `error` event.
    await rejects(() => cut, { kind: "transient" });
    deepStrictEqual(await database.query(one), [{ number: 1 }]);
  });
});

Deno.test("close() does not wait, and the statement fails as transient, when a statement is in progress", async () => {
  const name = crypto.randomUUID();
  const database = open({ url });
  const asking = database.query(statement(`SELECT pg_sleep(30) -- ${name}`));
  asking.catch(() => {});
  await until(() => sleeping(name), (count) => count === 1);
  const startedAt = performance.now();
  await database.close();
  ok(performance.now() - startedAt < 20_000);
  await rejects(() => asking, (error) => error instanceof StoreError && error.kind === "transient");
});

Deno.test("close() does not wait when a server accepts the connection and never answers", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const database = open({ url: through(listener.addr.port), statementSeconds: 30 });
  const asking = database.query(one);
  asking.catch(() => {});
  using _connection = await listener.accept();
  const startedAt = performance.now();
  await database.close();
  // An earlier version waited as long as a connection attempt may take.
  ok(performance.now() - startedAt < 20_000);
  await rejects(() => asking, { kind: "transient" });
});

Deno.test("close() does not wait when a server does not close an idle connection", async () => {
  await using proxy = startTcpProxy(server.port);
  const database = open({ url: through(proxy.port) });
  await database.query(one);
  proxy.blackHole = true;
  const startedAt = performance.now();
  await database.close();
  // An earlier version waited until the operating system closed the connection.
  ok(performance.now() - startedAt < 20_000);
});

Deno.test("close() works when no statement was run", async () => {
  strictEqual(await open({ url }).close(), undefined);
});
