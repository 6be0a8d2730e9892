import { createHash } from "node:crypto";
import type { Queryable } from "../store/postgres/database.ts";
import { readAuditEntries, strayAuditNumber } from "../store/postgres/sql/audit.ts";

/** An entry of the audit log as it is stored; `at` in ISO 8601, UTC, with microseconds. */
export interface AuditEntry {
  /** From 1 on, without gaps. It is text, because it may be beyond 2⁵³. */
  readonly number: string;
  readonly at: string;
  /** The role of the database session. */
  readonly role: string;
  /** The user of the operating system, reported by the client, unverified. */
  readonly os_user: string | null;
  readonly action: string;
  readonly field: string | null;
  readonly mask: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly detail: string | null;
  /** The hash of the previous entry, hexadecimal; 64 zeros for the first entry. */
  readonly before: string;
  /** Its own hash, hexadecimal. */
  readonly hash: string;
}

/** The previous hash of the first entry. */
export const NO_HASH = "0".repeat(64);

/**
 * Computes the hash that an entry must have, without the database: SHA-256 over the previous hash and the
 * entry's columns as netstrings, in hexadecimal (see the migration `audit`).
 */
export function computeAuditHash(entry: AuditEntry): string {
  const { number, at, role, os_user, action, field, mask, reason, ticket, detail } = entry;
  const hash = createHash("sha256").update(entry.before, "hex");
  for (const part of [number, at, role, os_user, action, field, mask, reason, ticket, detail]) {
    hash.update(encodeNetstring(part), "utf8");
  }
  return hash.digest("hex");
}

function encodeNetstring(part: string | null): string {
  return part === null ? "-," : `${new TextEncoder().encode(part).length}:${part},`;
}

/** The end of the chain. A copy of it in another place proves later that no entry up to it was removed or rewritten. */
export interface AuditHead {
  /** The number of the last entry; `0` if there is none. */
  readonly number: string;
  /** Its hash, hexadecimal; {@linkcode NO_HASH} if there is none. */
  readonly hash: string;
}

/** The result of {@linkcode verifyAudit}: the chain's end, or the first entry that breaks it. */
export type AuditVerdict =
  | { readonly head: AuditHead; readonly fault?: never }
  | { readonly head?: never; readonly fault: { readonly number: string; readonly what: string } };

/** Options of {@linkcode verifyAudit}. */
export interface VerifyAuditOptions {
  /** An earlier end of the chain, which must still be in it. Default none. */
  readonly head?: AuditHead | undefined;
  /** How many entries are read at once. Default 1000, about 500 KB. */
  readonly page?: number;
}

const START: AuditHead = { number: "0", hash: NO_HASH };

/**
 * Verifies the audit log from its first entry to its last: numbers from 1 without gaps, each entry with the hash
 * of the previous one, and each hash recomputed. The owner of the table can rewrite the whole chain so that it
 * is consistent. Only an earlier head shows that, and entries that were removed from the end. Entries that are
 * added meanwhile do no harm.
 *
 * @throws {StoreError} the audit log cannot be read
 */
export async function verifyAudit(
  database: Queryable,
  { head, page = 1000 }: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  let last = START;
  if (head?.number === last.number && head.hash !== last.hash) return otherHeadFault(head);
  while (true) {
    const entries = await database.query<AuditEntry>(readAuditEntries, [last.number, page]);
    for (const entry of entries) {
      const what = findFault(entry, last);
      if (what) return { fault: { number: entry.number, what } };
      if (head?.number === entry.number && head.hash !== entry.hash) return otherHeadFault(head);
      last = { number: entry.number, hash: entry.hash };
    }
    if (entries.length < page) break;
  }
  const [stray] = await database.query<{ number: string }>(strayAuditNumber);
  if (stray) {
    return { fault: { number: stray.number, what: "its number is below 1, or occurs twice" } };
  }
  if (head && BigInt(head.number) > BigInt(last.number)) {
    const what = `it is missing: the last entry is ${last.number}`;
    return { fault: { number: head.number, what } };
  }
  return { head: last };
}

/** Returns what is wrong with an entry after the previous one, or null. */
function findFault(entry: AuditEntry, last: AuditHead): string | null {
  const expected = String(BigInt(last.number) + 1n);
  if (entry.number !== expected) {
    return `expected number ${expected} here: entries are missing or renumbered`;
  }
  if (entry.before !== last.hash) {
    return "it does not follow the previous entry: one of them was changed, moved, inserted or removed";
  }
  if (entry.hash !== computeAuditHash(entry)) {
    return "its hash does not match its columns: it was changed";
  }
  return null;
}

function otherHeadFault({ number }: AuditHead): AuditVerdict {
  return {
    fault: { number, what: "its hash differs from the given head: the chain was rewritten" },
  };
}
