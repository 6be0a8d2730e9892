import type { Statement } from "../postgres.ts";

/** Begins a transaction. */
export const begin: Statement = { text: `BEGIN` };

/** Makes a transaction's work last. */
export const commit: Statement = { text: `COMMIT` };
