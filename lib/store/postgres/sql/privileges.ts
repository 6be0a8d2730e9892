/**
 * What the present role may do. The roles themselves are in `grants.ts`.
 *
 * @module
 */
import { type Statement, statement } from "../statement.ts";
import { quoteLiteral, quoteTable, type StoredTable } from "../target_table.ts";

/** Options of {@linkcode findMissingPrivileges}. */
export interface MissingPrivilegesOptions {
  /** The worker stores the keys of events as well. Default false. */
  readonly dedupe?: boolean;
  /** It stores originals in the vault of this database. Default false. */
  readonly vault?: boolean;
}

/** Lists the privileges that a worker needs and the present role lacks. */
export function findMissingPrivileges(
  table: StoredTable,
  { dedupe = false, vault = false }: MissingPrivilegesOptions = {},
): Statement {
  const rows = [
    onTable(quoteTable(table), "INSERT"),
    onTable("maskline.ledger", "INSERT"),
    onTable("maskline.ledger", "SELECT"),
    onTable("maskline.rejected", "INSERT"),
    ...(dedupe ? [onTable("maskline.dedupe", "INSERT"), onTable("maskline.dedupe", "SELECT")] : []),
    ...(vault ? VAULT : []),
    `('EXECUTE on maskline.make_ledger_days',
    has_function_privilege('maskline.make_ledger_days(date[])', 'EXECUTE'))`,
  ];
  return notGranted(rows);
}

/** Lists the same for a database that has the vault alone. */
export function findMissingVaultPrivileges(): Statement {
  return notGranted(VAULT);
}

function notGranted(rows: readonly string[]): Statement {
  return statement(`
SELECT what FROM (VALUES
  ${rows.join(",\n  ")}
) AS privilege (what, granted) WHERE NOT granted`);
}

/** Columns one by one, because a worker may not read what is sealed. */
const VAULT = [
  onTable("maskline.vault", "INSERT"),
  ...["field", "mask", "last_seen"].map((column) => onColumn("maskline.vault", column, "SELECT")),
  onColumn("maskline.vault", "last_seen", "UPDATE"),
];

function onTable(table: string, privilege: string): string {
  return `(${quoteLiteral(`${privilege} on ${table}`)}, has_table_privilege(${
    quoteLiteral(table)
  }, '${privilege}'))`;
}

function onColumn(table: string, column: string, privilege: string): string {
  return `(${quoteLiteral(`${privilege} (${column}) on ${table}`)},
    has_column_privilege(${quoteLiteral(table)}, ${quoteLiteral(column)}, '${privilege}'))`;
}

/** Lists what the present role may do and a worker never does, each to follow "the role may also". */
export function findUnneededPrivileges(table?: StoredTable): Statement {
  const rows = table
    ? `has_any_column_privilege(${quoteLiteral(quoteTable(table))}, 'SELECT')`
    : "false";
  return statement(`
SELECT 'do anything, being a superuser' AS what
FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT what FROM pg_roles, LATERAL (VALUES
  ('change the tables, being their owner',
    (SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = 'maskline.vault'::regclass)),
  ('read what is sealed in maskline.vault',
    has_column_privilege('maskline.vault', 'sealed', 'SELECT')),
  ('change what is sealed in maskline.vault',
    has_column_privilege('maskline.vault', 'sealed', 'UPDATE') OR
    has_table_privilege('maskline.vault', 'DELETE')),
  ('read what is sealed in maskline.rejected',
    has_column_privilege('maskline.rejected', 'sealed', 'SELECT')),
  ('read the rows', ${rows})
) AS privilege (what, granted)
WHERE rolname = current_user AND NOT rolsuper AND granted`);
}
