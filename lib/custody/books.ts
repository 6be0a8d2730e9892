import { OperationError } from "../base/errors.ts";
import type { Contract } from "../contract/contract.ts";
import type { Queryable } from "../store/postgres/database.ts";
import {
  countCounters,
  type CountersAccess,
  readCountersAccess,
  type StoredCounters,
} from "../store/postgres/sql/counters.ts";
import { quoteTable } from "../store/postgres/target_table.ts";
import { toStoredTable } from "../worker/contract.ts";

/** The database whose counters are checked, and the contract that names its table. */
export interface CountersScope {
  readonly database: Queryable;
  readonly contract: Contract;
}

/**
 * Finds why the present role cannot count, and how to fix it; null if it can. Postgres itself would report less,
 * because an error from inside a function is shown without its text.
 *
 * @throws {StoreError} the database does not answer
 */
export async function findCountersObstacle(
  { database, contract }: CountersScope,
): Promise<string | null> {
  const table = toStoredTable(contract);
  const [access] = await database.query<CountersAccess>(readCountersAccess(table));
  if (!access) return "maskline.count_books does not exist; run `maskline migrate`";
  const { owner, allowed, sees } = access;
  if (!allowed) {
    return "The role lacks EXECUTE on maskline.count_books; " +
      "`maskline migrate --print-grants` prints which roles have it";
  }
  if (!sees) {
    return `The role ${owner}, with whose rights maskline.count_books counts, lacks SELECT on ` +
      `${quoteTable(table)}; the table's owner can grant it`;
  }
  return null;
}

/**
 * Checks the counters against the database: every committed ledger entry is a row or was removed on purpose
 * (`forget`), and every rejected one is a rejection. A row without an entry is a warning only, because the table
 * may have been filled before Maskline was used.
 *
 * @returns what was counted, and warnings, a sentence each
 * @throws {OperationError} an entry has no row, a rejection has no entry, or the role cannot count
 * @throws {StoreError} the database refused or did not answer
 */
export async function checkCounters(scope: CountersScope): Promise<readonly string[]> {
  const obstacle = await findCountersObstacle(scope);
  if (obstacle) throw new OperationError(obstacle);
  const [counted] = await scope.database.query<StoredCounters>(countCounters);
  if (!counted) throw new OperationError("maskline.count_books returned nothing");
  const committed = BigInt(counted.committed);
  const removed = BigInt(counted.removed);
  const rejected = BigInt(counted.rejected);
  const rows = BigInt(counted.rows);
  const rejections = BigInt(counted.rejections);
  if (rows + removed < committed) {
    const andRemoved = removed > 0n ? ` and ${removed} were removed` : "";
    throw new OperationError(
      `${committed} messages are committed in the ledger, but only ${rows} rows exist${andRemoved}`,
    );
  }
  if (rejections > rejected) {
    throw new OperationError(
      `${rejections} rejections exist, but only ${rejected} messages are rejected in the ledger`,
    );
  }
  const results = [`the ledger has ${committed} committed and ${rejected} rejected messages`];
  if (removed > 0n) results.push(`${removed} rows were removed on purpose`);
  if (rows + removed > committed) {
    const others = rows + removed - committed;
    results.push(`${others} rows have no ledger entry: another client wrote them`);
  }
  if (rejections < rejected) {
    results.push(`${rejected - rejections} rejected messages were sent to a queue`);
  }
  return results;
}
