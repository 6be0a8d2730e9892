import type { Statement } from "../database.ts";
import {
  castType,
  listColumns,
  type MaskedTable,
  quoteIdentifier,
  quoteTable,
  type StoredColumn,
  type StoredTable,
} from "../target_table.ts";

/** Makes the target table where there is none; one that is there is taken as it is. */
export function createTable(table: StoredTable): Statement {
  const columns = listColumns(table).map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
  return { text: `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (${columns.join(", ")})` };
}

/** The columns of a table with their types, as `varchar(128)` or `integer`; none where it is missing. */
export const tableColumns: Statement = {
  text: `
SELECT attname AS name,
  replace(format_type(atttypid, atttypmod), 'character varying', 'varchar') AS type
FROM pg_attribute
WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text)) AND attnum > 0 AND NOT attisdropped`,
};

/** The columns of a table that must not be null. */
export const notNullColumns: Statement = {
  text: `
SELECT attname AS name FROM pg_attribute
WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text))
  AND attnum > 0 AND NOT attisdropped AND attnotnull`,
};

/** Stores one row: a parameter a column, the date sent last. */
export function insertRow(table: StoredTable): Statement {
  const columns = listColumns(table);
  const names = columns.map(({ name }) => quoteIdentifier(name));
  const values = columns.map((column, index) => `$${index + 1}::${castType(column)}`);
  return {
    text: `INSERT INTO ${quoteTable(table)} (${names.join(", ")}) VALUES (${values.join(", ")})`,
  };
}

/**
 * The rows as `stored`, each once for every masked column, whose field and value are `carried.field` and
 * `carried.mask`. One scan, however many columns there are.
 *
 * @param more further rows of the list
 */
export function carriedMasks(table: MaskedTable, more: readonly string[] = []): string {
  const masks = table.masked.map(({ field, column }) =>
    `('${field.replaceAll("'", "''")}', stored.${quoteIdentifier(column.name)}::text)`
  );
  return `${quoteTable(table)} AS stored
CROSS JOIN LATERAL (VALUES ${[...masks, ...more].join(", ")}) AS carried (field, mask)`;
}

/**
 * The condition on `stored` for rows of the person of `$1` whose masked columns hold nothing but the
 * values of `$2`, `$3` and so on, an array a column. A row that came since these were looked up and brings
 * another value is left: it would take the last trace of an original with it that stays in the vault.
 */
export function isKnownRowOfSubject({ masked }: MaskedTable, subject: StoredColumn): string {
  const known = masked.map(({ column }, index) => {
    const name = `stored.${quoteIdentifier(column.name)}`;
    return ` AND (${name} IS NULL OR ${name} = ANY ($${index + 2}::text[]))`;
  });
  return `stored.${quoteIdentifier(subject.name)} = $1::text${known.join("")}`;
}

/** A value of a masked column in the rows of one person; where both are null, all of the rows. */
export interface MaskOfSubject {
  readonly field: string | null;
  readonly mask: string | null;
}

/**
 * How many rows name the person of `$1`, and what stands in their masked columns. None where no row names
 * them. Reads the whole table once, unless somebody made an index.
 */
export function findMasks(table: MaskedTable, subject: StoredColumn): Statement {
  return {
    text: `
SELECT carried.field, carried.mask, count(*)::text AS rows
FROM ${carriedMasks(table, ["(NULL, NULL)"])}
WHERE stored.${quoteIdentifier(subject.name)} = $1::text
  AND (carried.field IS NULL OR carried.mask IS NOT NULL)
GROUP BY carried.field, carried.mask
ORDER BY carried.field, carried.mask COLLATE "C"`,
  };
}

/**
 * How many rows have the mask `$1` in a column, and of how many people (null where the table names
 * none; rows that name nobody count as one). Reads the whole table once.
 */
export function countCarriers(table: MaskedTable, column: StoredColumn): Statement {
  const subject = table.subject && quoteIdentifier(table.subject.name);
  const users = subject
    ? `count(DISTINCT ${subject}) + coalesce(bool_or(${subject} IS NULL), false)::integer`
    : "NULL";
  return {
    text: `
SELECT count(*)::text AS rows, (${users})::text AS users
FROM ${quoteTable(table)}
WHERE ${quoteIdentifier(column.name)} = $1::text`,
  };
}

/**
 * How many others than the person of `$1` have the masks `$3` in the fields `$2`; `$4` and so on are the
 * same masks again, an array a masked column. None of a mask that nobody else has. Rows that name nobody
 * count as one other.
 *
 * Reads the whole table once, and looks each row up in the arrays. By the pairs alone the planner takes a
 * merge join and sorts all masks of the table: 25 s instead of 1 s for 2 million rows, measured. That
 * is also why `IN (SELECT …)` stands inside `coalesce`: it keeps a hashed subplan.
 */
export function countOthers(table: MaskedTable, subject: StoredColumn): Statement {
  const person = `stored.${quoteIdentifier(subject.name)}`;
  const has = table.masked.map(({ column }, index) =>
    `stored.${quoteIdentifier(column.name)} = ANY ($${index + 4}::text[])`
  );
  return {
    text: `
SELECT carried.field, carried.mask,
  (count(DISTINCT ${person}) + bool_or(${person} IS NULL)::integer)::text AS others
FROM ${carriedMasks(table)}
WHERE ${person} IS DISTINCT FROM $1::text AND (${has.join(" OR ")})
  AND coalesce(
    (carried.field, carried.mask) IN (SELECT * FROM unnest($2::text[], $3::text[])), false
  )
GROUP BY carried.field, carried.mask`,
  };
}

/** Removes the rows of a person, and tells how many. Reads the whole table once. */
export function deleteRows(table: MaskedTable, subject: StoredColumn): Statement {
  return {
    text: `
WITH gone AS (
  DELETE FROM ${quoteTable(table)} AS stored WHERE ${
      isKnownRowOfSubject(table, subject)
    } RETURNING 1
)
SELECT count(*)::text AS rows FROM gone`,
  };
}

/**
 * Takes the person and the masks out of a person's rows, and tells how many rows there were. Where a column
 * must have a value it gets one that no other row has, so that not even these rows can be linked.
 *
 * @param notNull names of the columns that must have a value
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
  return {
    text: `
WITH changed AS (
  UPDATE ${quoteTable(table)} AS stored SET ${set.join(", ")}
  WHERE ${isKnownRowOfSubject(table, subject)} RETURNING 1
)
SELECT count(*)::text AS rows FROM changed`,
  };
}

/**
 * One person at a time, to the transaction's end: of two who are forgotten at once each could be what
 * keeps the original of the other. The number is Maskline's own, "forg" in ASCII.
 */
export const lockForgetting: Statement = { text: `SELECT pg_advisory_xact_lock(1718579815)` };
