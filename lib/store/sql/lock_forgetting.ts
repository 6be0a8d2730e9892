import type { Statement } from "../postgres.ts";

/**
 * One person at a time, to the transaction's end: of two who are forgotten at once each could be what
 * keeps the original of the other. The number is Maskline's own, "forg" in ASCII.
 */
export const lockForgetting: Statement = { text: `SELECT pg_advisory_xact_lock(1718579815)` };
