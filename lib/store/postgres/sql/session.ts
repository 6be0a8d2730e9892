import type { Statement } from "../database.ts";

/** Begins a transaction. */
export const begin: Statement = { text: `BEGIN` };

/** Makes a transaction's work last. */
export const commit: Statement = { text: `COMMIT` };

/**
 * Lets each statement of the transaction that follows see what was committed before it, whatever the
 * database's default is.
 */
export const readCommitted: Statement = { text: `SET TRANSACTION ISOLATION LEVEL READ COMMITTED` };

/**
 * Fails while rows cannot be written: on a replica, or where the database is read-only, 25006 is what
 * the insert would say too. Writes nothing and waits for no table lock.
 */
export const probe: Statement = { text: `SELECT maskline.assert_writable()` };

/** Whether a commit that Postgres answered survives its crash (`off`: the last ones may not). */
export const synchronousCommit: Statement = {
  text: `SELECT current_setting('synchronous_commit') AS value`,
};
