/**
 * `maskline.reveal_audit (number bigint PRIMARY KEY, at timestamptz, role, os_user, action, field, mask, reason,
 * ticket, detail text, before bytea, hash bytea)`: who did what with originals, append-only, each entry with
 * the hash of the one before it.
 *
 * @module
 */
import { statement } from "../statement.ts";

/**
 * Lists the columns of an entry, as `AuditEntry` has them. The hash has no era in it, so a time before Christ
 * gets a mark: without one it would pass for the same time after Christ.
 */
const AUDIT_COLUMNS = `number::text,
  to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ||
    CASE WHEN extract(year FROM at AT TIME ZONE 'UTC') < 1 THEN ' BC' ELSE '' END AS at,
  role, os_user, action, field, mask, reason, ticket, detail,
  encode(before, 'hex') AS before, encode(hash, 'hex') AS hash`;

/** Appends entries, one for each of the fields `$3` and masks `$4`. */
export const recordAuditEntries = statement(`
SELECT maskline.note_audit(
  $1::text, $2::text, $3::text[], $4::text[], $5::text, $6::text, $7::text
)`);

/** Reads the entries after the number `$1`, oldest first, at most `$2`. */
export const readAuditEntries = statement(`
SELECT ${AUDIT_COLUMNS}
FROM maskline.reveal_audit
WHERE reveal_audit.number > $1::bigint
ORDER BY reveal_audit.number
LIMIT $2::integer`);

/** Reads the newest `$1` entries, newest first. */
export const newestAuditEntries = statement(`
SELECT ${AUDIT_COLUMNS}
FROM maskline.reveal_audit
ORDER BY reveal_audit.number DESC
LIMIT $1::integer`);

/**
 * Finds the first number that is below 1 or occurs twice. A walk from
 * number to number misses such an entry, which is possible once the primary key was dropped.
 */
export const strayAuditNumber = statement(`
SELECT number::text
FROM maskline.reveal_audit
GROUP BY reveal_audit.number
HAVING reveal_audit.number < 1 OR count(*) > 1
ORDER BY reveal_audit.number
LIMIT 1`);
