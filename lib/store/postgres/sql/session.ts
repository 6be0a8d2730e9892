/**
 * Statements about a session and its transaction. They read no table.
 *
 * @module
 */
import { statement } from "../statement.ts";

/** Begins a transaction. */
export const begin = statement(`BEGIN`);

/** Commits the transaction. */
export const commit = statement(`COMMIT`);

/**
 * Lets each statement of the transaction see what was committed before it, whichever isolation level is the
 * database's default. Must be the transaction's first statement.
 */
export const readCommitted = statement(`SET TRANSACTION ISOLATION LEVEL READ COMMITTED`);

/** Checks deferred constraints now instead of at the commit. */
export const checkDeferredConstraints = statement(`SET CONSTRAINTS ALL IMMEDIATE`);

/**
 * Fails while rows cannot be written: on a replica, or if the database is read-only, with the 25006 that an
 * insert would fail with. Writes nothing and waits for no table lock.
 */
export const probe = statement(`SELECT maskline.assert_writable()`);

/** Reads whether a commit that Postgres answered survives a crash of it (`off`: the last ones may not). */
export const synchronousCommit = statement(
  `SELECT current_setting('synchronous_commit') AS value`,
);
