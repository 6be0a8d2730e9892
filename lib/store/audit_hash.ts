import { createHash } from "node:crypto";

/** An entry of the audit as it is read back; `at` in ISO 8601, UTC, with microseconds. */
export interface AuditEntry {
  /** From 1 on, without gaps; text, since it may be beyond 2⁵³. */
  readonly number: string;
  readonly at: string;
  /** The role of the database session. */
  readonly role: string;
  /** The user of the operating system, as the client told it. */
  readonly os_user: string | null;
  readonly action: string;
  readonly field: string | null;
  readonly mask: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly detail: string | null;
  /** The hash of the entry before, hexadecimal; 64 zeros for the first. */
  readonly before: string;
  /** Its own hash, hexadecimal. */
  readonly hash: string;
}

/** What stands before the first entry. */
export const NO_HASH = "0".repeat(64);

/**
 * The hash that an entry must have, computed without the database: SHA-256 over the hash before and the
 * entry's columns as netstrings, in hexadecimal (see the migration `audit`).
 */
export function auditHash(entry: AuditEntry): string {
  const { number, at, role, os_user, action, field, mask, reason, ticket, detail } = entry;
  const hash = createHash("sha256").update(entry.before, "hex");
  for (const part of [number, at, role, os_user, action, field, mask, reason, ticket, detail]) {
    hash.update(netstring(part), "utf8");
  }
  return hash.digest("hex");
}

function netstring(part: string | null): string {
  return part === null ? "-," : `${new TextEncoder().encode(part).length}:${part},`;
}
