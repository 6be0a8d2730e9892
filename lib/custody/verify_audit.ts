import { createHash } from "node:crypto";
import type { Queryable } from "../store/postgres/database.ts";
import { auditEntries, strayAuditNumber } from "../store/postgres/sql/audit.ts";

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

/** The end of a chain: kept elsewhere, it proves later that nothing up to it was cut off or made anew. */
export interface AuditHead {
  /** The number of the last entry; `0` where there is none. */
  readonly number: string;
  /** Its hash, hexadecimal; {@linkcode NO_HASH} where there is none. */
  readonly hash: string;
}

/** What {@linkcode verifyAudit} found: the chain's end, or the first entry that breaks it. */
export type AuditVerdict =
  | { readonly head: AuditHead; readonly fault?: never }
  | { readonly head?: never; readonly fault: { readonly number: string; readonly what: string } };

/** Options of {@linkcode verifyAudit}. */
export interface VerifyAuditOptions {
  /** The end of the chain as it was once; default none. */
  readonly head?: AuditHead | undefined;
  /** How many entries are read at once; default 1000, some 500 KB. */
  readonly page?: number;
}

const START: AuditHead = { number: "0", hash: NO_HASH };

/**
 * Walks the audit from its first entry to its last: numbers from 1 without gaps, each entry beside the
 * hash of the one before, and each hash computed anew. Whoever owns the table can rewrite the whole chain
 * so that it fits together: that, and entries cut off the end, only an earlier head brings to light.
 * Entries that come meanwhile do no harm.
 *
 * @throws {StoreError} the audit cannot be read
 */
export async function verifyAudit(
  database: Queryable,
  { head, page = 1000 }: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  let last = START;
  if (head?.number === last.number && head.hash !== last.hash) return otherHeadFault(head);
  while (true) {
    const entries = await database.query<AuditEntry>(auditEntries, [last.number, page]);
    for (const entry of entries) {
      const what = findFault(entry, last);
      if (what) return { fault: { number: entry.number, what } };
      if (head?.number === entry.number && head.hash !== entry.hash) return otherHeadFault(head);
      last = { number: entry.number, hash: entry.hash };
    }
    if (entries.length < page) break;
  }
  const [stray] = await database.query<{ number: string }>(strayAuditNumber);
  if (stray) return { fault: { number: stray.number, what: "it is below 1, or there twice" } };
  if (head && BigInt(head.number) > BigInt(last.number)) {
    const what = `it is gone: the entries end at ${last.number}`;
    return { fault: { number: head.number, what } };
  }
  return { head: last };
}

/** What is wrong with an entry after the one before, or null. */
function findFault(entry: AuditEntry, last: AuditHead): string | null {
  const wanted = String(BigInt(last.number) + 1n);
  if (entry.number !== wanted) {
    return `wanted number ${wanted} here: entries are gone or renumbered`;
  }
  if (entry.before !== last.hash) {
    return "it does not follow the entry before: one of them was changed, moved, inserted or removed";
  }
  if (entry.hash !== auditHash(entry)) return "its hash is not that of its columns: it was changed";
  return null;
}

function otherHeadFault({ number }: AuditHead): AuditVerdict {
  return { fault: { number, what: "its hash is not the one kept: the chain was made anew" } };
}
