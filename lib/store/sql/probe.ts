import type { Statement } from "../postgres.ts";

/**
 * Fails while rows cannot be written: on a replica, or where the database is read-only, 25006 is what
 * the insert would say too. Writes nothing and waits for no table lock.
 */
export const probe: Statement = { text: `SELECT maskline.assert_writable()` };
