import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { createLedgerDays } from "../../../../lib/store/postgres/sql/ledger.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";
import {
  batchOf,
  createStore,
  dayAfter,
  eventRow,
  openStore,
  type TestStore,
  TODAY,
} from "../../../support/test_store.ts";

const server = await sharedPostgres();

/** Finds the partition of each message's ledger entry. */
async function partitions({ inside }: TestStore): Promise<Record<string, string>> {
  const rows = await inside.query<{ message_id: string; partition: string }>(
    "SELECT message_id, tableoid::regclass::text AS partition FROM maskline.ledger ORDER BY 1",
  );
  return Object.fromEntries(rows.map(({ message_id, partition }) => [message_id, partition]));
}

/** Lists all partitions, without the schema's name. */
async function allPartitions({ inside }: TestStore): Promise<string[]> {
  const rows = await inside.query<{ name: string }>(
    `SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
      WHERE inhparent = 'maskline.ledger'::regclass ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

function partitionOf(day: string): string {
  return `ledger_${day.replaceAll("-", "")}`;
}

Deno.test("commit() creates a partition for the day sent when there is none", async () => {
  await using line = await createStore(server);
  await line.store.commit(batchOf([eventRow("a"), eventRow("b", { dateSent: dayAfter(-3) })]));
  deepStrictEqual(await partitions(line), {
    a: `maskline.${partitionOf(TODAY)}`,
    b: `maskline.${partitionOf(dayAfter(-3))}`,
  });
});

Deno.test("commit() creates a partition when the day is one that a queue can contain, from 14 days ago to tomorrow", async () => {
  await using line = await createStore(server);
  const days = [-14, 1].map(dayAfter);
  await line.store.commit(batchOf(days.map((dateSent) => eventRow(dateSent, { dateSent }))));
  deepStrictEqual(await allPartitions(line), [...days.map(partitionOf), "ledger_other"].sort());
});

Deno.test("commit() writes to ledger_other when the date is outside of the window", async () => {
  await using line = await createStore(server);
  const days = ["1970-01-01", dayAfter(-16), dayAfter(2), "9999-12-31"];
  await line.store.commit(batchOf(days.map((dateSent) => eventRow(dateSent, { dateSent }))));
  deepStrictEqual(
    await partitions(line),
    Object.fromEntries(days.sort().map((day) => [day, "maskline.ledger_other"])),
  );
});

Deno.test("commit() finds duplicates when their date is outside of the window", async () => {
  await using line = await createStore(server);
  const old = eventRow("a", { dateSent: "1999-01-01" });
  await line.store.commit(batchOf([old]));
  deepStrictEqual((await line.store.commit(batchOf([old]))).duplicates, new Set(["a"]));
});

Deno.test("commit() continues with ledger_other when it has rows of the day already", async () => {
  await using line = await createStore(server);
  await line.inside.query(
    `INSERT INTO maskline.ledger VALUES ('old', '${TODAY}', 'committed', gen_random_uuid())`,
  );
  const { duplicates } = await line.store.commit(batchOf([eventRow("old"), eventRow("new")]));
  deepStrictEqual(duplicates, new Set(["old"]));
  deepStrictEqual(await allPartitions(line), ["ledger_other"]);
});

Deno.test("commit() creates a day once when many workers need it at the same moment", async () => {
  await using line = await createStore(server);
  const others = Array.from({ length: 6 }, () => openStore(line.inside));
  await Promise.all(
    others.map(({ store }, index) =>
      store.commit(batchOf([
        eventRow(`today ${index}`),
        eventRow(`yesterday ${index}`, { dateSent: dayAfter(-1) }),
      ]))
    ),
  );
  for (const { store } of others) await store.close();
  const days = [dayAfter(-1), TODAY].map(partitionOf);
  deepStrictEqual(await allPartitions(line), [...days, "ledger_other"]);
  strictEqual(Object.keys(await partitions(line)).length, 12);
});

Deno.test("commit() continues when an operator drops the partition of a day meanwhile", async () => {
  await using line = await createStore(server);
  await line.store.commit(batchOf([eventRow("a")]));
  await line.inside.query(`DROP TABLE maskline.${partitionOf(TODAY)}`);
  deepStrictEqual((await line.store.commit(batchOf([eventRow("b")]))).duplicates, new Set());
  deepStrictEqual(await partitions(line), { b: "maskline.ledger_other" });
});

Deno.test("createLedgerDays creates nothing when no day is given or the day exists", async () => {
  await using line = await createStore(server);
  await line.database.query(createLedgerDays, [[]]);
  await line.database.query(createLedgerDays, [[TODAY, TODAY]]);
  await line.database.query(createLedgerDays, [[TODAY]]);
  deepStrictEqual(await allPartitions(line), [partitionOf(TODAY), "ledger_other"]);
});

Deno.test("createLedgerDays uses its own functions when a caller has others with the same name", async () => {
  await using line = await createStore(server);
  await line.inside.query(
    `CREATE FUNCTION public.to_char(date, text) RETURNS text LANGUAGE sql AS
      $$ SELECT 'x; DROP TABLE maskline.rejected' $$`,
  );
  const { name } = line.inside;
  await line.inside.query(`ALTER DATABASE "${name}" SET search_path = public, pg_catalog`);
  const other = openStore(line.inside);
  await other.database.query(createLedgerDays, [[TODAY]]);
  await other.store.close();
  ok((await allPartitions(line)).includes(partitionOf(TODAY)));
});
