import type { Statement } from "../postgres.ts";

/**
 * Lets each statement of the transaction that follows see what was committed before it, whatever the
 * database's default is.
 */
export const readCommitted: Statement = { text: `SET TRANSACTION ISOLATION LEVEL READ COMMITTED` };
