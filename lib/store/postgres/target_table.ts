/** A column of the target table. */
export interface StoredColumn {
  readonly name: string;
  readonly type: string;
}

/** The table that rows go to, as the store needs to know it: its columns, and the one for the date sent. */
export interface StoredTable {
  readonly schema: string;
  readonly name: string;
  /** Columns in the order in which rows carry their values. */
  readonly columns: readonly StoredColumn[];
  readonly dateSent: StoredColumn;
}

/** All columns: those of the values, then the date sent. */
export function listColumns(table: StoredTable): readonly StoredColumn[] {
  return [...table.columns, table.dateSent];
}

/** The table's full name, quoted. */
export function quoteTable(table: StoredTable): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}

/** A column's type for a cast, `varchar(128)` → `varchar`: a cast with the length would cut silently. */
export function castType({ type }: StoredColumn): string {
  return type.replace(/\(.*\)$/, "");
}

/** An identifier in double quotes, as SQL wants it. */
export function quoteIdentifier(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** A personal field, and the column that takes its masks. */
export interface MaskedColumn {
  readonly field: string;
  readonly column: StoredColumn;
}

/** The target table as those need it who look for masks: which columns hold them, and which the person. */
export interface MaskedTable extends StoredTable {
  readonly masked: readonly MaskedColumn[];
  /** The column that names the person; none where the rows name nobody. */
  readonly subject: StoredColumn | undefined;
}
