import type { Statement } from "../postgres.ts";

/** The entries of the audit after a number, oldest first, at most so many. */
export const auditEntries: Statement = {
  text: `
SELECT number::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
  role, os_user, action, field, mask, reason, ticket, detail,
  encode(before, 'hex') AS before, encode(hash, 'hex') AS hash
FROM maskline.reveal_audit
WHERE reveal_audit.number > $1::bigint
ORDER BY reveal_audit.number
LIMIT $2::integer`,
};
