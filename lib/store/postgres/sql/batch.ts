/**
 * The statement of the hot path: it commits a batch into the ledger, the target table, the rejections, the vault
 * and the keys of events. Their shapes are in `ledger.ts`, `rows.ts`, `rejected.ts` and `vault.ts`.
 *
 * @module
 */
import { type Statement, statement } from "../statement.ts";
import {
  castType,
  listColumns,
  quoteIdentifier,
  quoteTable,
  type StoredTable,
} from "../target_table.ts";

/** Options of {@linkcode commitBatch}. */
export interface CommitBatchOptions {
  /** Events have keys, and an event whose key was committed before is a duplicate. Default false. */
  readonly dedupe?: boolean;
  /** Batches have originals for the vault of this database. Default false. */
  readonly vault?: boolean;
}

/**
 * Commits a batch in one statement, and so in one transaction and one round trip. The ledger decides which ids
 * are new, and rows, rejections and originals are written for those only. Returns the ids that were there
 * before: the duplicates.
 *
 * `IN (SELECT …)` is inside `coalesce` so that it stays a hashed subplan. The planner turns the bare condition
 * into a join, expects ten rows of each `unnest`, and takes nested loops: 250,000 comparisons for 500 rows.
 */
export function commitBatch(
  table: StoredTable,
  { dedupe = false, vault = false }: CommitBatchOptions = {},
): Statement {
  const columns = table.columns;
  // $1 batch, $2 ids, $3 dates, then an array for each column, then the parameters of the rejections, then
  // those of the originals, then the keys.
  const first = 4;
  const rejected = first + columns.length;
  const names = columns.map((column) => quoteIdentifier(column.name));
  const arrays = columns.map((column, index) => `$${first + index}::${castType(column)}[]`);
  const originals = rejected + 9;
  const keys = `$${originals + (vault ? ORIGINAL_PARAMETERS : 0)}::text[]`;
  const text = `
WITH ${dedupe ? `${takeKeys(keys)}, ` : ""}fresh AS (
  INSERT INTO maskline.ledger (message_id, date_sent, outcome, batch)
  ${dedupe ? selectEventsWithNewKeys(keys) : EVENTS}
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
), rejections AS (
  INSERT INTO maskline.rejected
    (message_id, sent_at, receive_count, reason, field, sqlstate, sealed, key_id)
  SELECT id, sent_at, receive_count, reason, field, sqlstate, sealed, key_id
  FROM unnest(
    $${rejected}::text[], $${rejected + 2}::timestamptz[], $${rejected + 3}::integer[],
    $${rejected + 4}::text[], $${rejected + 5}::text[], $${rejected + 6}::text[],
    $${rejected + 7}::bytea[], $${rejected + 8}::text[]
  ) AS rejection (id, sent_at, receive_count, reason, field, sqlstate, sealed, key_id)
  WHERE sealed IS NOT NULL AND coalesce(id IN (SELECT message_id FROM fresh), false)
)${vault ? `, originals AS (${upsertOriginals(originals, FRESH)})` : ""}
SELECT id AS message_id FROM unnest($2::text[] || $${rejected}::text[]) AS member (id)
WHERE NOT coalesce(id IN (SELECT message_id FROM fresh), false)`;
  const name = `maskline_commit_${table.name}${vault ? "_vault" : ""}${dedupe ? "_by_key" : ""}`;
  return statement(text, name);
}

/** Nothing of a duplicate is stored again: its person may have been forgotten since. */
const FRESH = `coalesce(id IN (SELECT message_id FROM fresh), false)`;

const EVENTS =
  `SELECT id, sent, 'committed'::maskline.outcome, $1::uuid FROM unnest($2::text[], $3::date[]) AS event (id, sent)`;

function selectEventsWithNewKeys(keys: string): string {
  return `SELECT id, sent, 'committed'::maskline.outcome, $1::uuid
  FROM unnest($2::text[], $3::date[], ${keys}) AS event (id, sent, key)
  WHERE coalesce(key IN (SELECT key FROM taken), false)`;
}

/**
 * Returns a CTE that stores the keys that no event has, all of them before the first id: two batches with keys
 * in common lock them in the same order and cannot deadlock. A message that was rejected before becomes no row,
 * so it must not store a key that another message needs, for example its own body when it is resent.
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
const ORIGINAL_PARAMETERS = 8;

/**
 * Returns SQL that stores sealed originals, with the parameters from `first` on: ids, fields, masks, days, the
 * vault key's id, where each sealed value begins (from 1), its size, and all values concatenated in one `bytea`.
 * An array of them would travel as hexadecimal digits, twice the size. An entry that exists is not replaced;
 * only the day on which it was last seen changes.
 *
 * Entries are written in the order of their key, so that two batches with the same values lock them in the same
 * order and cannot deadlock.
 *
 * @param condition selects originals by the event's `id`
 */
function upsertOriginals(first: number, condition: string): string {
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

/** Stores sealed originals alone, for a vault in a database of its own. */
export const upsertOriginalsAlone = statement(
  upsertOriginals(1, "true"),
  "maskline_keep_originals",
);
