import type { Statement } from "../database.ts";

/**
 * The columns of an entry, as `AuditEntry` has them. The hash has no era in it, so a time before Christ
 * gets a mark, or it would pass for its mirror image.
 */
export const auditColumns = `number::text,
  to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ||
    CASE WHEN extract(year FROM at AT TIME ZONE 'UTC') < 1 THEN ' BC' ELSE '' END AS at,
  role, os_user, action, field, mask, reason, ticket, detail,
  encode(before, 'hex') AS before, encode(hash, 'hex') AS hash`;

/** The entries of the audit after a number, oldest first, at most so many. */
export const auditEntries: Statement = {
  text: `
SELECT ${auditColumns}
FROM maskline.reveal_audit
WHERE reveal_audit.number > $1::bigint
ORDER BY reveal_audit.number
LIMIT $2::integer`,
};

/** The entries of the audit, newest first, at most so many. */
export const newestAuditEntries: Statement = {
  text: `
SELECT ${auditColumns}
FROM maskline.reveal_audit
ORDER BY reveal_audit.number DESC
LIMIT $1::integer`,
};

/**
 * The first number of the audit that no numbering from 1 on has: below 1, or there twice. Walking from
 * number to number passes by such an entry, where somebody took the primary key away.
 */
export const strayAuditNumber: Statement = {
  text: `
SELECT number::text
FROM maskline.reveal_audit
GROUP BY reveal_audit.number
HAVING reveal_audit.number < 1 OR count(*) > 1
ORDER BY reveal_audit.number
LIMIT 1`,
};

/** Appends entries to the audit, one for each field and mask. */
export const recordAuditEntries: Statement = {
  text: `
SELECT maskline.note_audit(
  $1::text, $2::text, $3::text[], $4::text[], $5::text, $6::text, $7::text
)`,
};
