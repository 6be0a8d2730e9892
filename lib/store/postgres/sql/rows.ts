/**
 * The target table, which is the contract's and used as it is (`public.user_logins` for `login`): the columns of
 * the fields, masks in those of personal fields, and the date sent. Statements about masks by key are in
 * `row_masks.ts`.
 *
 * @module
 */
import { type Statement, statement } from "../statement.ts";
import {
  castType,
  listColumns,
  type MaskedTable,
  quoteIdentifier,
  quoteLiteral,
  quoteTable,
  type StoredColumn,
  type StoredTable,
} from "../target_table.ts";

/** Creates the target table unless it exists; an existing one is used as it is. */
export function createTable(table: StoredTable): Statement {
  const columns = listColumns(table).map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
  return statement(`CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (${columns.join(", ")})`);
}

/** Inserts one row: a parameter for each column, the date sent last. */
export function insertRow(table: StoredTable): Statement {
  const columns = listColumns(table);
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const values = columns.map((column, index) => `$${index + 1}::${castType(column)}`);
  return statement(
    `INSERT INTO ${quoteTable(table)} (${names.join(", ")}) VALUES (${values.join(", ")})`,
  );
}

/**
 * Returns a FROM item: the rows as `stored`, each once for every masked column, with its field and value in
 * `carried.field` and `carried.mask`. The table is read once, however many masked columns it has.
 *
 * @param more further rows of the VALUES list
 */
export function selectMasks(table: MaskedTable, more: readonly string[] = []): string {
  const masks = table.masked.map(({ field, column }) =>
    `(${quoteLiteral(field)}, stored.${quoteIdentifier(column.name)}::text)`
  );
  return `${quoteTable(table)} AS stored
CROSS JOIN LATERAL (VALUES ${[...masks, ...more].join(", ")}) AS carried (field, mask)`;
}

/**
 * Returns a condition on `stored`: it is a row of the person `$1`, and its masked columns have only the values
 * `$2`, `$3` and so on, an array for each column. A row that was stored after these were looked up and has
 * another value is not changed: that would remove the last reference to an original that is still in the vault.
 */
function matchTraces({ masked }: MaskedTable, subject: StoredColumn): string {
  const known = masked.map(({ column }, index) => {
    const name = `stored.${quoteIdentifier(column.name)}`;
    return ` AND (${name} IS NULL OR ${name} = ANY ($${index + 2}::text[]))`;
  });
  return `stored.${quoteIdentifier(subject.name)} = $1::text${known.join("")}`;
}

/** Rows of one person with a value in a masked column; all of their rows if field and mask are null. */
export interface SubjectMask {
  readonly field: string | null;
  readonly mask: string | null;
  readonly rows: string;
}

/**
 * Finds how many rows name the person `$1`, and the values of their masked columns; nothing if no row does.
 * Reads the whole table, unless the subject's column has an index.
 */
export function findSubjectMasks(table: MaskedTable, subject: StoredColumn): Statement {
  return statement(`
SELECT carried.field, carried.mask, count(*)::text AS rows
FROM ${selectMasks(table, ["(NULL, NULL)"])}
WHERE stored.${quoteIdentifier(subject.name)} = $1::text
  AND (carried.field IS NULL OR carried.mask IS NOT NULL)
GROUP BY carried.field, carried.mask
ORDER BY carried.field, carried.mask COLLATE "C"`);
}

/**
 * Counts the rows with the mask `$1` in a column, and their people (null if the table names none; rows without
 * a name count as one person). Reads the whole table.
 */
export function countCarriers(table: MaskedTable, column: StoredColumn): Statement {
  const subject = table.subject && quoteIdentifier(table.subject.name);
  const users = subject
    ? `count(DISTINCT ${subject}) + coalesce(bool_or(${subject} IS NULL), false)::integer`
    : "NULL";
  return statement(`
SELECT count(*)::text AS rows, (${users})::text AS users
FROM ${quoteTable(table)}
WHERE ${quoteIdentifier(column.name)} = $1::text`);
}

/**
 * Counts the people other than `$1` whose rows have the masks `$3` in the fields `$2`; `$4` and so on are the
 * same masks again, an array for each masked column. Masks that no other person has are left out. Rows without
 * a name count as one other person.
 *
 * Reads the whole table once, and looks each row up in the arrays. With the pairs alone the planner takes a
 * merge join and sorts all masks of the table: 25 s instead of 1 s for 2 million rows, measured. That is also
 * why `IN (SELECT …)` is inside `coalesce`: it stays a hashed subplan.
 */
export function countOthers(table: MaskedTable, subject: StoredColumn): Statement {
  const person = `stored.${quoteIdentifier(subject.name)}`;
  const has = table.masked.map(({ column }, index) =>
    `stored.${quoteIdentifier(column.name)} = ANY ($${index + 4}::text[])`
  );
  return statement(`
SELECT carried.field, carried.mask,
  (count(DISTINCT ${person}) + bool_or(${person} IS NULL)::integer)::text AS others
FROM ${selectMasks(table)}
WHERE ${person} IS DISTINCT FROM $1::text AND (${has.join(" OR ")})
  AND coalesce(
    (carried.field, carried.mask) IN (SELECT * FROM unnest($2::text[], $3::text[])), false
  )
GROUP BY carried.field, carried.mask`);
}

/** Deletes the rows of the person `$1`, and counts them. Reads the whole table. */
export function deleteRows(table: MaskedTable, subject: StoredColumn): Statement {
  return statement(`
WITH gone AS (
  DELETE FROM ${quoteTable(table)} AS stored WHERE ${matchTraces(table, subject)} RETURNING 1
)
SELECT count(*)::text AS rows FROM gone`);
}

/**
 * Removes the name and the masks from the rows of the person `$1`, and counts the rows. A column that must not
 * be null gets a value that no other row has, so that these rows cannot be linked either.
 *
 * @param notNull names of the columns that must not be null
 */
export function anonymiseRows(
  table: MaskedTable,
  subject: StoredColumn,
  notNull: ReadonlySet<string>,
): Statement {
  const columns = [subject, ...table.masked.map(({ column }) => column)];
  const set = columns.map(({ name }) =>
    `${quoteIdentifier(name)} = ${notNull.has(name) ? "'forgotten-' || gen_random_uuid()" : "NULL"}`
  );
  return statement(`
WITH changed AS (
  UPDATE ${quoteTable(table)} AS stored SET ${set.join(", ")}
  WHERE ${matchTraces(table, subject)} RETURNING 1
)
SELECT count(*)::text AS rows FROM changed`);
}

/**
 * Locks out other `forget` commands until the transaction ends: of two people who are forgotten at once, each
 * could be the reason why the original of the other stays. The number is Maskline's own, "forg" in ASCII.
 */
export const lockForgetting = statement(`SELECT pg_advisory_xact_lock(1718579815)`);
