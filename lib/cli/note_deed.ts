import { type AuditRecord, recordAudit } from "../store/audit.ts";
import type { Queryable } from "../store/postgres.ts";
import { StoreError } from "../store/store.ts";

/**
 * Notes in the audit what is about to be shown. Only when it resolves may anything be shown.
 *
 * @throws {StoreError} it could not be noted, so nothing may be shown; the message says so
 */
export async function recordBeforeShowing(vault: Queryable, deed: AuditRecord): Promise<void> {
  try {
    await recordAudit(vault, deed);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { kind, code, message } = error;
    throw new StoreError(
      kind,
      code,
      `Nothing is shown, since it could not be noted in the audit: ${message}`,
    );
  }
}
