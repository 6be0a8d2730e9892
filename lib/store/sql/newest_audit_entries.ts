import type { Statement } from "../postgres.ts";
import { auditColumns } from "./audit_entries.ts";

/** The entries of the audit, newest first, at most so many. */
export const newestAuditEntries: Statement = {
  text: `
SELECT ${auditColumns}
FROM maskline.reveal_audit
ORDER BY reveal_audit.number DESC
LIMIT $1::integer`,
};
