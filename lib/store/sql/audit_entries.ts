import type { Statement } from "../postgres.ts";

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
