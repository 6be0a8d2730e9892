import type { Queryable } from "../store/postgres.ts";
import type { Databases } from "./with_databases.ts";

/**
 * Writes vault and audit for a transaction on `databases.database`. Where they are in that database they
 * commit with it; in one of their own they commit together, and before it: a trace of what was then not
 * done, or an original without its row, does less harm than the reverse.
 */
export function vaultWithin<T>(
  { database, vault }: Databases,
  connection: Queryable,
  work: (vault: Queryable) => Promise<T>,
): Promise<T> {
  return vault === database ? work(connection) : vault.transaction(work);
}
