import type { TestDatabase } from "../support/test_database.ts";

/**
 * Inserts rows into the target table and entries into the ledger with today's date. They are in the
 * partition that the run itself writes to, which is the worst case.
 */
export async function fillTables(
  database: TestDatabase,
  { rows, vault }: { readonly rows: number; readonly vault: boolean },
): Promise<void> {
  await database.query("SELECT maskline.make_ledger_days(ARRAY[(now() AT TIME ZONE 'UTC')::date])");
  await database.query(
    `INSERT INTO user_logins (user_id, device_type, masked_ip, masked_device_id, locale, app_version,
      create_date)
    SELECT 'filler-' || n, 'android', 'k1.' || substr(hash, 1, 43), 'k1.' || substr(hash, 22, 43),
      'US', n % 3000000, (now() AT TIME ZONE 'UTC')::date
    FROM generate_series(1, $1::bigint) AS n,
      LATERAL (SELECT encode(sha256(int8send(n)), 'hex') AS hash) AS hashed`,
    [rows],
  );
  // In the order of the key, so that the index is written sequentially, in a fraction of the time.
  await database.query(
    `INSERT INTO maskline.ledger (message_id, date_sent, outcome, batch)
    SELECT id, (now() AT TIME ZONE 'UTC')::date, 'committed', '00000000-0000-0000-0000-000000000000'
    FROM (SELECT gen_random_uuid()::text COLLATE "C" AS id FROM generate_series(1, $1::bigint)) AS new
    ORDER BY id`,
    [rows],
  );
  if (vault) await fillVault(database, rows);
  await database.query("VACUUM (ANALYZE, FREEZE)");
}

/** Inserts as many entries for each of the two fields, each as large as a sealed address. */
async function fillVault(database: TestDatabase, rows: number): Promise<void> {
  await database.query(
    `INSERT INTO maskline.vault (field, mask, sealed, key_id, first_seen, last_seen)
    SELECT field, mask, sealed, 'v1', day, day FROM (
      SELECT field, 'k1.' || substr(hash, 1, 43) AS mask, decode(repeat(hash, 4), 'hex') AS sealed,
        (now() AT TIME ZONE 'UTC')::date AS day
      FROM unnest(ARRAY['ip', 'device_id']) AS field, generate_series(1, $1::bigint) AS n,
        LATERAL (SELECT encode(sha256(int8send(n)), 'hex') AS hash) AS hashed
    ) AS entry ORDER BY field COLLATE "C", mask COLLATE "C"`,
    [rows],
  );
}
