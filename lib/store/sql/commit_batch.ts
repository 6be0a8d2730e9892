import type { Statement } from "../postgres.ts";
import { ORIGINAL_PARAMETERS, upsertOriginals } from "./keep_originals.ts";
import {
  castType,
  listColumns,
  quoteIdentifier,
  quoteTable,
  type StoredTable,
} from "../stored_table.ts";

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
