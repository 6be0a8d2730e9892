import type { Statement } from "../database.ts";
import {
  castType,
  listColumns,
  quoteIdentifier,
  quoteTable,
  type StoredTable,
} from "../target_table.ts";

/** Options of {@linkcode commitBatch}. */
export interface CommitBatchOptions {
  /** Events have keys, and one whose key is known is not new. Default false. */
  readonly dedupe?: boolean;
  /** Batches bring originals for the vault of this database. Default false. */
  readonly vault?: boolean;
}

/**
 * Commits a batch in one statement, and so in one transaction and one round trip: the ledger decides
 * which ids are new, and only for those rows, rejections and originals are written. Gives back the ids
 * that were there before.
 *
 * `IN (SELECT …)` stands inside `coalesce` to keep it a hashed subplan. As a bare condition the planner
 * makes it a join, expects ten rows of each `unnest`, and takes nested loops: 250,000 comparisons for
 * 500 rows.
 */
export function commitBatch(
  table: StoredTable,
  { dedupe = false, vault = false }: CommitBatchOptions = {},
): Statement {
  const columns = table.columns;
  // $1 batch, $2 ids, $3 dates, then one array a column, then those of the rejections, then those of the
  // originals, then the keys.
  const first = 4;
  const rejected = first + columns.length;
  const names = columns.map((column) => quoteIdentifier(column.name));
  const arrays = columns.map((column, index) => `$${first + index}::${castType(column)}[]`);
  const originals = rejected + 9;
  const keys = `$${originals + (vault ? ORIGINAL_PARAMETERS : 0)}::text[]`;
  const text = `
WITH ${dedupe ? `${takeKeys(keys)}, ` : ""}fresh AS (
  INSERT INTO maskline.ledger (message_id, date_sent, outcome, batch)
  ${dedupe ? eventsWithNewKeys(keys) : EVENTS}
  UNION ALL
  SELECT id, sent, 'rejected'::maskline.outcome, $1::uuid
  FROM unnest($${rejected}::text[], $${rejected + 1}::date[]) AS rejection (id, sent)
  ON CONFLICT DO NOTHING
  RETURNING message_id
), stored AS (
  INSERT INTO ${quoteTable(table)} (${
    listColumns(table).map(({ name }) => quoteIdentifier(name)).join(", ")
  })
  SELECT ${names.join(", ")}, "date sent"
  FROM unnest($2::text[], $3::date[], ${arrays.join(", ")})
    AS event ("message id", "date sent", ${names.join(", ")})
  WHERE coalesce("message id" IN (SELECT message_id FROM fresh), false)
), set_aside AS (
  INSERT INTO maskline.rejected
    (message_id, sent_at, receive_count, reason, field, sqlstate, sealed, key_id)
  SELECT id, sent_at, receive_count, reason, field, sqlstate, sealed, key_id
  FROM unnest(
    $${rejected}::text[], $${rejected + 2}::timestamptz[], $${rejected + 3}::integer[],
    $${rejected + 4}::text[], $${rejected + 5}::text[], $${rejected + 6}::text[],
    $${rejected + 7}::bytea[], $${rejected + 8}::text[]
  ) AS rejection (id, sent_at, receive_count, reason, field, sqlstate, sealed, key_id)
  WHERE sealed IS NOT NULL AND coalesce(id IN (SELECT message_id FROM fresh), false)
)${vault ? `, kept AS (${upsertOriginals(originals, FRESH)})` : ""}
SELECT id AS message_id FROM unnest($2::text[] || $${rejected}::text[]) AS member (id)
WHERE NOT coalesce(id IN (SELECT message_id FROM fresh), false)`;
  const name = `maskline_commit_${table.name}${vault ? "_vault" : ""}${dedupe ? "_by_key" : ""}`;
  return { name, text };
}

/** Of a duplicate nothing is kept again: its person may have been forgotten since. */
const FRESH = `coalesce(id IN (SELECT message_id FROM fresh), false)`;

const EVENTS =
  `SELECT id, sent, 'committed'::maskline.outcome, $1::uuid FROM unnest($2::text[], $3::date[]) AS event (id, sent)`;

function eventsWithNewKeys(keys: string): string {
  return `SELECT id, sent, 'committed'::maskline.outcome, $1::uuid
  FROM unnest($2::text[], $3::date[], ${keys}) AS event (id, sent, key)
  WHERE coalesce(key IN (SELECT key FROM taken), false)`;
}

/**
 * Takes the keys that nobody has, all of them before the first id: two batches that share some lock them
 * in the same order and cannot deadlock. A message that was rejected before makes no row, so it must not
 * take its key from one that will, such as its own body sent again.
 */
function takeKeys(keys: string): string {
  return `taken AS (
  INSERT INTO maskline.dedupe (key, date_sent)
  SELECT key, sent FROM unnest($2::text[], $3::date[], ${keys}) AS event (id, sent, key)
  WHERE NOT coalesce(id IN (SELECT maskline.rejected_before($2::text[], $3::date[])), false)
  ORDER BY key COLLATE "C"
  ON CONFLICT DO NOTHING
  RETURNING key
)`;
}

/** How many parameters {@linkcode upsertOriginals} takes. */
export const ORIGINAL_PARAMETERS = 8;

/**
 * Puts sealed originals into the vault, with parameters from `first` on: ids, fields, masks, days, the
 * vault key's id, where each sealed value begins (from 1) and its size, and all of them one after the
 * other in one `bytea`, since an array of them would travel as twice as many hexadecimal digits. One that is there stays as it
 * is, but for the day on which it was last seen.
 *
 * In the order of the key, so that two batches with the same values lock them in the same order and
 * cannot deadlock.
 *
 * @param condition which of the originals, by the event's `id`
 */
export function upsertOriginals(first: number, condition: string): string {
  return `
  INSERT INTO maskline.vault AS present (field, mask, sealed, key_id, first_seen, last_seen)
  SELECT DISTINCT ON (field, mask) field, mask,
    substring($${first + 7}::bytea FROM place FOR size),
    $${first + 4}::text, day, day
  FROM (
    SELECT id, field COLLATE "C" AS field, mask COLLATE "C" AS mask, day, place, size
    FROM unnest(
      $${first}::text[], $${first + 1}::text[], $${first + 2}::text[], $${first + 3}::date[],
      $${first + 5}::integer[], $${first + 6}::integer[]
    ) AS original (id, field, mask, day, place, size)
  ) AS original
  WHERE ${condition}
  ORDER BY field, mask, day DESC
  ON CONFLICT (field, mask) DO UPDATE SET last_seen = excluded.last_seen
  WHERE present.last_seen < excluded.last_seen`;
}

/** The same alone, for a vault in a database of its own. */
export const upsertOriginalsAlone: Statement = {
  name: "maskline_keep_originals",
  text: upsertOriginals(1, "true"),
};

/** Which of the given messages the given batch itself committed, in an attempt whose answer got lost. */
export const batchOwners: Statement = {
  text: `
SELECT message_id FROM maskline.ledger
WHERE (message_id, date_sent) IN (SELECT * FROM unnest($1::text[], $2::date[]))
  AND batch = $3::uuid`,
};

/** Which of some events are on record: by their message id, or by their key where they have one. */
export const knownEvents: Statement = {
  text: `
SELECT id AS message_id
FROM unnest($1::text[], $2::date[], $3::text[]) AS event (id, sent, key)
WHERE EXISTS (SELECT FROM maskline.ledger WHERE message_id = id AND date_sent = sent)
  OR EXISTS (SELECT FROM maskline.dedupe WHERE dedupe.key = event.key)`,
};
