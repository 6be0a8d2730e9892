import type { Statement } from "../postgres.ts";

/** Appends entries to the audit, one for each field and mask. */
export const recordAuditEntries: Statement = {
  text: `
SELECT maskline.note_audit(
  $1::text, $2::text, $3::text[], $4::text[], $5::text, $6::text, $7::text
)`,
};
