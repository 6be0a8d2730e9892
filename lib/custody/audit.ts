import type { Queryable } from "../store/postgres/database.ts";
import { recordAuditEntries } from "../store/postgres/sql/audit.ts";
import { StoreError } from "../store/store.ts";

/** What is done with originals, as the audit calls it. */
export type AuditAction =
  | "reveal"
  | "mask"
  | "forget"
  | "rotate"
  | "show"
  | "replay"
  | "discard";

/** Who does something, and why. */
export interface Justification {
  /** The user of the operating system, as it was told. */
  readonly osUser: string | null;
  readonly reason: string | null;
  /** Where the reason is written down. */
  readonly ticket: string | null;
}

/** What somebody is about to do. */
export interface AuditRecord extends Justification {
  readonly action: AuditAction;
  /** Each gets an entry of its own; a rejected message stands as field `rejected`, mask its id. */
  readonly subjects: readonly { readonly field: string | null; readonly mask: string | null }[];
  /** Counts and options; never a value of a payload. */
  readonly detail?: string | null;
}

/**
 * Appends a deed to the audit. Outside a transaction it is committed when this resolves, so what follows
 * it cannot happen without a trace; inside one it commits with the rest, or not at all.
 *
 * @throws {StoreError} it could not be written: then the deed must not be done
 */
export async function recordAudit(database: Queryable, deed: AuditRecord): Promise<void> {
  const { action, subjects, osUser, reason, ticket, detail = null } = deed;
  await database.query(recordAuditEntries, [
    osUser,
    action,
    subjects.map(({ field }) => field),
    subjects.map(({ mask }) => mask),
    reason,
    ticket,
    detail,
  ]);
}

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
