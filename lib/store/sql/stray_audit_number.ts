import type { Statement } from "../postgres.ts";

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
