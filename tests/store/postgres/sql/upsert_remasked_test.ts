import { deepStrictEqual } from "node:assert";
import { upsertRemasked } from "../../../../lib/store/postgres/sql/vault.ts";
import { openSession } from "../../../support/open_session.ts";
import { until } from "../../../support/progress.ts";
import { sharedPostgres } from "../../../support/shared_postgres.ts";
import { createStore } from "../../../support/test_store.ts";

const server = await sharedPostgres();
const sealed = [Uint8Array.of(1), Uint8Array.of(2)];
const page = [["ip", "ip"], ["k1.a", "k1.b"], ["k2.a", "k2.b"], sealed, "v1"];

Deno.test("upsertRemasked() does not restore an original when its person is forgotten at the same moment", async () => {
  await using store = await createStore(server);
  const { inside, database } = store;
  await inside.query(
    `INSERT INTO maskline.vault (field, mask, sealed, key_id, first_seen, last_seen)
      SELECT 'ip', mask, '', 'v1', current_date, current_date
      FROM unnest('{k1.a,k1.b}'::text[]) AS masks (mask)`,
  );
  await using forgetting = await openSession(inside.url);
  await forgetting.query("BEGIN");
  await forgetting.query("DELETE FROM maskline.vault WHERE mask = 'k1.b'");
  const storing = database.query(upsertRemasked, page);
  await until(
    () =>
      inside.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      ),
    (waiting) => waiting.length === 1,
  );
  await forgetting.query("COMMIT");
  deepStrictEqual(await storing, [{ field: "ip", mask: "k1.a" }]);
  deepStrictEqual(
    await inside.query("SELECT mask FROM maskline.vault ORDER BY mask"),
    [{ mask: "k1.a" }, { mask: "k2.a" }],
  );
});
