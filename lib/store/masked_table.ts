import type { StoredColumn, StoredTable } from "./stored_table.ts";

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
