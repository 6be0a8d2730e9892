import { deepStrictEqual, rejects, strictEqual } from "node:assert";
import { VaultFirstStore } from "../../../lib/store/postgres/vault_first_store.ts";
import type { OriginalRow } from "../../../lib/store/store.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import {
  batchOf,
  createStore,
  dayAfter,
  eventRow,
  open,
  openStore,
  rejectedRow,
  type TestStore,
  TODAY,
} from "../../support/test_store.ts";

const server = await sharedPostgres();

/** Creates the original of an event; its bytes are not really sealed. */
function originalRow(id: string, more: Partial<OriginalRow> = {}): OriginalRow {
  const sealed = new TextEncoder().encode(`sealed ${id}`);
  return { id, dateSent: TODAY, field: "ip", mask: `k1.${id}`, sealed, keyId: "v1", ...more };
}

async function vaultOf({ inside }: Pick<TestStore, "inside">) {
  return await inside.query<Record<string, string>>(
    `SELECT field, mask, convert_from(sealed, 'UTF8') AS sealed, key_id,
      (first_seen - (now() AT TIME ZONE 'UTC')::date) || ' to ' ||
      (last_seen - (now() AT TIME ZONE 'UTC')::date) AS seen
      FROM maskline.vault ORDER BY field, mask`,
  );
}

Deno.test("commit() stores originals in the same transaction as their rows when the vault is in the same database", async () => {
  await using line = await createStore(server, { vault: true });
  await line.store.commit(batchOf([eventRow("a"), eventRow("b")], [rejectedRow("c")], [
    originalRow("a"),
    originalRow("b", { field: "device_id", sealed: Uint8Array.of(0x41), keyId: "v1" }),
  ]));
  deepStrictEqual(await vaultOf(line), [
    { field: "device_id", mask: "k1.b", sealed: "A", key_id: "v1", seen: "0 to 0" },
    { field: "ip", mask: "k1.a", sealed: "sealed a", key_id: "v1", seen: "0 to 0" },
  ]);
});

Deno.test("commit() stores no original when its event is a duplicate, because its person may be forgotten", async () => {
  await using line = await createStore(server, { vault: true });
  await line.store.commit(batchOf([eventRow("a")], [], [originalRow("a")]));
  await line.inside.query("DELETE FROM maskline.vault");
  const again = batchOf([eventRow("a"), eventRow("b")], [], [originalRow("a"), originalRow("b")]);
  deepStrictEqual([...(await line.store.commit(again)).duplicates], ["a"]);
  deepStrictEqual((await vaultOf(line)).map(({ mask }) => mask), ["k1.b"]);
});

Deno.test("commit() does not replace an original, and records the newest day, when it exists", async () => {
  await using line = await createStore(server, { vault: true });
  const days = [0, 1, -1].map(dayAfter);
  for (const [index, dateSent] of days.entries()) {
    const id = `event ${index}`;
    const sealed = new TextEncoder().encode(id);
    const original = originalRow(id, { mask: "k1.same", sealed, dateSent });
    await line.store.commit(batchOf([eventRow(id, { dateSent })], [], [original]));
  }
  deepStrictEqual(await vaultOf(line), [
    { field: "ip", mask: "k1.same", sealed: "event 0", key_id: "v1", seen: "0 to 1" },
  ]);
});

Deno.test("commit() writes nothing to the vault when the day was recorded before", async () => {
  await using line = await createStore(server, { vault: true });
  const place = () => line.inside.query("SELECT ctid::text, xmin::text FROM maskline.vault");
  await line.store.commit(batchOf([eventRow("a")], [], [originalRow("a", { mask: "k1.m" })]));
  const before = await place();
  await line.store.commit(batchOf([eventRow("b")], [], [originalRow("b", { mask: "k1.m" })]));
  deepStrictEqual(await place(), before);
});

Deno.test("commit() stores an original once when a batch has it twice", async () => {
  await using line = await createStore(server, { vault: true });
  const twice = ["a", "b"].map((id) => originalRow(id, { mask: "k1.same" }));
  await line.store.commit(batchOf([eventRow("a"), eventRow("b")], [], twice));
  strictEqual((await vaultOf(line)).length, 1);
});

// A message whose row was refused and that is redelivered is a duplicate, and its original was never stored.
Deno.test("commit() stores an original when a duplicate and a new event have it", async () => {
  await using line = await createStore(server, { vault: true });
  await line.store.commit(batchOf([], [rejectedRow("a")]));
  const sealed = new TextEncoder().encode("once");
  const both = ["a", "b"].map((id) => originalRow(id, { mask: "k1.same", sealed }));
  await line.store.commit(batchOf([eventRow("a"), eventRow("b")], [], both));
  deepStrictEqual((await vaultOf(line)).map(({ sealed }) => sealed), ["once"]);
});

Deno.test("commit() stores each original when a batch sends many of them in one value", async () => {
  await using line = await createStore(server, { vault: true });
  const ids = Array.from({ length: 500 }, (_, index) => `m${String(index).padStart(3, "0")}`);
  const originals = ids.map((id, index) =>
    originalRow(id, { sealed: new TextEncoder().encode(`${id}`.repeat(index % 7 + 1)) })
  );
  await line.store.commit(batchOf(ids.map((id) => eventRow(id)), [], originals));
  const kept = (await vaultOf(line)).map(({ sealed }) => sealed);
  deepStrictEqual(kept, ids.map((id, index) => id.repeat(index % 7 + 1)));
});

Deno.test("commit() ends without a deadlock when two stores write the same originals", async () => {
  await using line = await createStore(server, { vault: true });
  const other = openStore(line.inside, { vault: true });
  const masks = Array.from({ length: 200 }, (_, index) => `k1.${index}`);
  const commit = async (store: TestStore["store"], name: string, order: string[]) => {
    for (let round = 0; round < 10; round++) {
      const id = `${name}${round}`;
      const dateSent = dayAfter(round - 9);
      const originals = order.map((mask) => originalRow(id, { mask, dateSent }));
      await store.commit(batchOf([eventRow(id, { dateSent })], [], originals));
    }
  };
  try {
    await Promise.all([
      commit(line.store, "a", masks),
      commit(other.store, "b", masks.toReversed()),
    ]);
  } finally {
    await other.store.close();
  }
  strictEqual((await vaultOf(line)).length, masks.length);
});

Deno.test("commit() stores originals in the vault's own database first, and only there, when there are two databases", async () => {
  await using rows = await createStore(server);
  await using vault = await createStore(server);
  const store = new VaultFirstStore({
    store: rows.store,
    rows: rows.database,
    vault: vault.database,
  });
  const batch = batchOf([eventRow("a")], [], [originalRow("a")]);
  await store.commit(batch);
  await store.commit(batch);
  await store.probe();
  deepStrictEqual((await vaultOf(vault)).map(({ mask }) => mask), ["k1.a"]);
  deepStrictEqual(await vaultOf(rows), []);
});

Deno.test("commit() stores no row when the vault's own database is unavailable", async () => {
  await using rows = await createStore(server);
  const nowhere = open({ url: new URL("postgres://127.0.0.1:1/none") });
  const store = new VaultFirstStore({ store: rows.store, rows: rows.database, vault: nowhere });
  await rejects(store.commit(batchOf([eventRow("a")], [], [originalRow("a")])), {
    kind: "transient",
  });
  await rejects(store.probe(), { kind: "transient" });
  strictEqual((await rows.inside.query("SELECT FROM user_logins")).length, 0);
  await nowhere.close();
});

Deno.test("commit() stores no original in the vault's own database when the event is a duplicate, by id or key", async () => {
  await using rows = await createStore(server, { dedupe: true });
  await using vault = await createStore(server);
  const store = new VaultFirstStore({
    store: rows.store,
    rows: rows.database,
    vault: vault.database,
  });
  await store.commit(batchOf([eventRow("a", { key: "d:1" })], [], [originalRow("a")]));
  await vault.inside.query("DELETE FROM maskline.vault");
  await store.commit(batchOf([eventRow("a", { key: "d:1" })], [], [originalRow("a")]));
  await store.commit(batchOf(
    [eventRow("b", { key: "d:1" }), eventRow("c", { key: "d:2" })],
    [],
    [originalRow("b"), originalRow("c")],
  ));
  deepStrictEqual((await vaultOf(vault)).map(({ mask }) => mask), ["k1.c"]);
});
