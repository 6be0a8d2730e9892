import { OperationError } from "../base/errors.ts";
import type { Database, Queryable } from "../store/postgres/database.ts";
import {
  canCountCounters,
  countCounters,
  type CountersAccess,
  type StoredCounters,
} from "../store/postgres/sql/counters.ts";
import { quoteTable, type StoredTable } from "../store/postgres/target_table.ts";

/**
 * What keeps the present role from counting the books, and what mends it; null where nothing does.
 * Postgres itself would tell less: an error from inside of a function is shown without its text.
 *
 * @throws {StoreError} the database does not answer
 */
export async function findCountersObstacle(
  database: Queryable,
  table: StoredTable,
): Promise<string | null> {
  const [counter] = await database.query<CountersAccess>(canCountCounters(table));
  if (!counter) return "maskline.count_books is missing; run `maskline migrate`";
  const { owner, allowed, sees } = counter;
  if (!allowed) {
    return "The role lacks EXECUTE on maskline.count_books; " +
      "`maskline migrate --print-grants` prints who has it";
  }
  if (!sees) {
    return `The role ${owner}, with whose rights maskline.count_books counts, lacks SELECT on ` +
      `${quoteTable(table)}; the table's owner can grant it`;
  }
  return null;
}

/**
 * Counts the books in the database: every committed ledger entry is a row or was removed on purpose
 * (`forget`), every rejected one a rejection. Rows that are there without an entry are told as a
 * remark: the table may have been filled before Maskline came.
 *
 * @throws {OperationError} an entry has no row, or a rejection is missing; or the role cannot count
 */
export async function checkCounters(
  database: Database,
  table: StoredTable,
): Promise<readonly string[]> {
  const obstacle = await findCountersObstacle(database, table);
  if (obstacle) throw new OperationError(obstacle);
  const [counted] = await database.query<StoredCounters>(countCounters);
  if (!counted) throw new OperationError("The books could not be counted");
  const committed = BigInt(counted.committed);
  const removed = BigInt(counted.removed);
  const rejected = BigInt(counted.rejected);
  const rows = BigInt(counted.rows);
  const setAside = BigInt(counted.set_aside);
  if (rows + removed < committed) {
    const andRemoved = removed > 0n ? ` and ${removed} were removed` : "";
    throw new OperationError(
      `${committed} messages are committed in the ledger, but only ${rows} rows are there${andRemoved}`,
    );
  }
  if (setAside > rejected) {
    throw new OperationError(
      `${setAside} rejections are there, but ${rejected} stand in the ledger`,
    );
  }
  const remarks = [`${committed} committed and ${rejected} rejected stand in the ledger`];
  if (removed > 0n) remarks.push(`${removed} rows were removed on purpose`);
  if (rows + removed > committed) {
    const others = rows + removed - committed;
    remarks.push(`${others} rows have no ledger entry: another hand wrote them`);
  }
  if (setAside < rejected) remarks.push(`${rejected - setAside} rejections went to a queue`);
  return remarks;
}
