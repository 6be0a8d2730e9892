import type { Database } from "../store/postgres.ts";
import { countBooks, type CountedBooks } from "../store/sql/count_books.ts";
import type { StoredTable } from "../store/stored_table.ts";

/**
 * Counts the books in the database: every committed ledger entry is a row, every rejected one a
 * rejection. Rows that are there without an entry are told as a remark: the table may have been filled
 * before Maskline came.
 *
 * @throws {RangeError} an entry has no row, or a rejection is missing
 */
export async function checkBooks(
  database: Database,
  table: StoredTable,
): Promise<readonly string[]> {
  const [counted] = await database.query<CountedBooks>(countBooks(table));
  if (!counted) throw new RangeError("The books could not be counted");
  const committed = BigInt(counted.committed);
  const rejected = BigInt(counted.rejected);
  const rows = BigInt(counted.rows);
  const setAside = BigInt(counted.set_aside);
  if (rows < committed) {
    throw new RangeError(
      `${committed} messages are committed in the ledger, but only ${rows} rows are there`,
    );
  }
  if (setAside > rejected) {
    throw new RangeError(`${setAside} rejections are there, but ${rejected} stand in the ledger`);
  }
  const remarks = [`${committed} committed and ${rejected} rejected stand in the ledger`];
  if (rows > committed) {
    remarks.push(`${rows - committed} rows have no ledger entry: another hand wrote them`);
  }
  if (setAside < rejected) remarks.push(`${rejected - setAside} rejections went to a queue`);
  return remarks;
}
