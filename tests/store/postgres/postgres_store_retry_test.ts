import { deepStrictEqual, rejects } from "node:assert";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp_proxy.ts";
import {
  batchOf,
  countAll,
  createStore,
  eventRow,
  openStore,
  rejectedRow,
  type TestStore,
} from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Creates a store whose connections can be cut, with an open connection and today's partition. */
async function fragileStore(
  dedupe = false,
): Promise<{ line: TestStore; proxy: TcpProxy } & AsyncDisposable> {
  const proxy = startTcpProxy(server.port);
  const line = await createStore(server, { port: proxy.port, dedupe, statementSeconds: 1 });
  await line.store.commit(batchOf([eventRow("first", dedupe ? { key: "d:first" } : {})]));
  return {
    line,
    proxy,
    async [Symbol.asyncDispose]() {
      await line[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

Deno.test("commit() returns no duplicate when the answer was lost three times", async () => {
  await using fragile = await fragileStore();
  const { line, proxy } = fragile;
  const batch = batchOf([eventRow("a")]);
  for (let time = 1; time <= 3; time++) {
    proxy.cutAfter(1);
    await rejects(() => line.store.commit(batch), { kind: "transient" });
  }
  deepStrictEqual((await line.store.commit(batch)).duplicates, new Set());
});

Deno.test("commit() returns duplicates when the batch is committed again after it was answered", async () => {
  await using fragile = await fragileStore();
  const { line, proxy } = fragile;
  const batch = batchOf([eventRow("a")]);
  proxy.cutAfter(1);
  await rejects(() => line.store.commit(batch), { kind: "transient" });
  await line.store.commit(batch);
  deepStrictEqual((await line.store.commit(batch)).duplicates, new Set(["a"]));
});

Deno.test("commit() commits when the statement itself was lost before", async () => {
  await using fragile = await fragileStore();
  const { line, proxy } = fragile;
  const batch = batchOf([eventRow("a")], [rejectedRow("b")]);
  proxy.blackHole = true;
  await rejects(() => line.store.commit(batch), { kind: "transient" });
  proxy.blackHole = false;
  deepStrictEqual(await countAll(line), { rows: 1, rejected: 0, ledger: 1, keys: 0 });
  deepStrictEqual((await line.store.commit(batch)).duplicates, new Set());
  deepStrictEqual(await countAll(line), { rows: 2, rejected: 1, ledger: 3, keys: 0 });
});

Deno.test("commit() commits when an administrator ended the connection during the first attempt", async () => {
  await using line = await createStore(server);
  await line.inside.query(
    `CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$`,
  );
  await line.inside.query(
    "CREATE TRIGGER hang BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION hang()",
  );
  const batch = batchOf([eventRow("a")]);
  await rejects(() => line.store.commit(batch), { kind: "transient", code: "57P01" });
  await line.inside.query("DROP TRIGGER hang ON user_logins");
  deepStrictEqual((await line.store.commit(batch)).duplicates, new Set());
  deepStrictEqual((await countAll(line)).rows, 1);
});

Deno.test("commit() returns duplicates when another worker committed while the answer was lost", async () => {
  await using fragile = await fragileStore();
  const { line, proxy } = fragile;
  const other = openStore(line.inside);
  const batch = batchOf([eventRow("a"), eventRow("b")]);
  proxy.blackHole = true;
  await rejects(() => line.store.commit(batch), { kind: "transient" });
  await other.store.commit(batchOf([eventRow("b")]));
  await other.store.close();
  proxy.blackHole = false;
  deepStrictEqual((await line.store.commit(batch)).duplicates, new Set(["b"]));
  deepStrictEqual((await countAll(line)).rows, 3);
});

Deno.test("commit() returns no duplicate by key when the answer to the same batch was lost before", async () => {
  await using fragile = await fragileStore(true);
  const { line, proxy } = fragile;
  const batch = batchOf([
    eventRow("a", { key: "d:1" }),
    eventRow("again", { key: "d:first" }),
  ]);
  proxy.cutAfter(1);
  await rejects(() => line.store.commit(batch), { kind: "transient" });
  deepStrictEqual((await line.store.commit(batch)).duplicates, new Set(["again"]));
  deepStrictEqual(await countAll(line), { rows: 2, rejected: 0, ledger: 2, keys: 2 });
});
