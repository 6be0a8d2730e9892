import type { Queryable } from "../store/postgres/database.ts";
import { newestAuditEntries, recordAuditEntries } from "../store/postgres/sql/audit.ts";
import { StoreError } from "../store/store.ts";
import type { AuditEntry } from "./verify_audit.ts";

/** What is done with originals, as the audit log names it. */
export type AuditAction =
  | "reveal"
  | "mask"
  | "forget"
  | "rotate"
  | "show"
  | "replay"
  | "discard";

/** Who runs a command, and why. */
export interface Justification {
  /** The user of the operating system, reported by the client, unverified. */
  readonly osUser: string | null;
  readonly reason: string | null;
  /** Where the reason is documented. */
  readonly ticket: string | null;
}

/** An action for the audit log. */
export interface AuditRecord extends Justification {
  readonly action: AuditAction;
  /** Each gets an entry of its own. A rejected message has the field `rejected` and its id as mask. */
  readonly subjects: readonly { readonly field: string | null; readonly mask: string | null }[];
  /** Counts and options; never a value of a payload. */
  readonly detail?: string | null;
}

/**
 * Appends an action to the audit log. Outside a transaction it is committed when this resolves, so the action
 * that follows has a record. Inside one it commits with the rest, or not at all.
 *
 * @throws {StoreError} it could not be written: the action must not happen
 */
export async function recordAudit(vault: Queryable, record: AuditRecord): Promise<void> {
  const { action, subjects, osUser, reason, ticket, detail = null } = record;
  await vault.query(recordAuditEntries, [
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
 * Records in the audit log what is about to be shown. Only when it resolves may anything be shown.
 *
 * @throws {StoreError} it could not be recorded, so nothing may be shown; the message says so
 */
export async function recordBeforeShowing(vault: Queryable, record: AuditRecord): Promise<void> {
  try {
    await recordAudit(vault, record);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { kind, code, message } = error;
    throw new StoreError(
      kind,
      code,
      `Nothing is shown, because it could not be recorded in the audit log: ${message}`,
    );
  }
}

/**
 * Reads the newest entries of the audit log, newest first.
 *
 * @param limit at most so many entries, from 1
 * @throws {StoreError} the database refused or did not answer
 */
export function listAudit(vault: Queryable, limit: number): Promise<AuditEntry[]> {
  return vault.query<AuditEntry>(newestAuditEntries, [limit]);
}
