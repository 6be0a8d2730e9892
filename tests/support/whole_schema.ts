import type { TestDatabase } from "./test_database.ts";

/** A table, partition or view. */
export interface Relation {
  /** The name, as in `maskline.ledger`. Each partition of a day is `maskline.ledger_day`. */
  readonly known: string;
  /** Its own name, quoted. */
  readonly name: string;
  readonly columns: readonly string[];
}

/** A function. */
export interface Routine {
  readonly known: string;
  /** A call with nothing but NULL. */
  readonly call: string;
}

/** Reads everything in the schema `maskline`, and the target table, from pg_catalog. */
export async function wholeSchema(
  database: TestDatabase,
): Promise<{ relations: Relation[]; routines: Routine[] }> {
  const relations = await database.query<Relation & Record<string, unknown>>(
    `SELECT nspname || '.' || regexp_replace(relname, '_\\d{8}$', '_day') AS known,
      format('%I.%I', nspname, relname) AS name,
      ARRAY(SELECT quote_ident(attname) FROM pg_attribute
        WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE (nspname = 'maskline' AND relkind NOT IN ('i', 'I', 'c'))
      OR pg_class.oid = 'public.user_logins'::regclass
    ORDER BY 1`,
  );
  const routines = await database.query<Routine & Record<string, unknown>>(
    `SELECT 'maskline.' || proname AS known,
      format('SELECT maskline.%I(%s)', proname, (
        SELECT string_agg('NULL::' || format_type(type, NULL), ', ' ORDER BY number)
        FROM unnest(proargtypes) WITH ORDINALITY AS argument (type, number))) AS call
    FROM pg_proc WHERE pronamespace = 'maskline'::regnamespace ORDER BY 1`,
  );
  return { relations, routines };
}
