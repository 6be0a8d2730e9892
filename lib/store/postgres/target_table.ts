/** A column of the target table. */
export interface StoredColumn {
  readonly name: string;
  readonly type: string;
}

/** The table that takes the rows, as the store needs to know it. */
export interface StoredTable {
  readonly schema: string;
  readonly name: string;
  /** The columns of the fields, in the order of a row's values. */
  readonly columns: readonly StoredColumn[];
  /** The column for the date on which the message was sent. */
  readonly dateSent: StoredColumn;
}

/** Lists all columns: those of the fields, then the date sent. */
export function listColumns(table: StoredTable): readonly StoredColumn[] {
  return [...table.columns, table.dateSent];
}

/** Quotes the table's qualified name. */
export function quoteTable(table: StoredTable): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}

/** Returns a column's type for a cast, `varchar(128)` → `varchar`: a cast with the length would cut silently. */
export function castType({ type }: StoredColumn): string {
  return type.replace(/\(.*\)$/, "");
}

/** Quotes an identifier. */
export function quoteIdentifier(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** Quotes a text as an SQL literal. For names only: values are parameters. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A personal field, and the column for its masks. */
export interface MaskedColumn {
  readonly field: string;
  readonly column: StoredColumn;
}

/** The target table with the columns that have masks, and the one that names the person. */
export interface MaskedTable extends StoredTable {
  readonly masked: readonly MaskedColumn[];
  /** The column that names the person; undefined if rows name no person. */
  readonly subject: StoredColumn | undefined;
}
