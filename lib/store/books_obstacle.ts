import type { Queryable } from "./postgres.ts";
import { canCountCounters, type CountersAccess } from "./sql/can_count_books.ts";
import { quoteTable, type StoredTable } from "./stored_table.ts";

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
