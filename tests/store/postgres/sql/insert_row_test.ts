import { deepStrictEqual, rejects } from "node:assert";
import { insertRow } from "../../../../lib/store/postgres/sql/rows.ts";
import { StoreError } from "../../../../lib/store/store.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";
import { createStore, loginTable } from "../../../support/test_store.ts";

const postgres = await sharedPostgres();

Deno.test("insertRow() fails, and does not truncate, when a text is too long for its column", async () => {
  await using store = await createStore(postgres);
  const insert = insertRow(loginTable);
  const row = ["user", "x".repeat(32), "k1.ip", "k1.device", null, 1_002_003, "2026-02-03"];
  await store.database.query(insert, row);
  await rejects(
    store.database.query(insert, row.with(1, "x".repeat(33))),
    (error) => error instanceof StoreError && error.code === "22001" && error.kind === "data",
  );
  deepStrictEqual(
    await store.inside.query("SELECT length(device_type), create_date::text FROM user_logins"),
    [{ length: 32, create_date: "2026-02-03" }],
  );
});
