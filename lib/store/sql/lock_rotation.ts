import type { Statement } from "../postgres.ts";

/**
 * Takes the lock of rotations for as long as the session lasts; `held` is false where another session has
 * it. Taking it again does no harm. The number is Maskline's own, "rota" in ASCII.
 */
export const lockRotation: Statement = { text: `SELECT pg_try_advisory_lock(1919906913) AS held` };
