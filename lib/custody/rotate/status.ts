import {
  countRejectedKeys,
  REJECTED_TABLE,
  type RejectedKeyCount,
} from "../../store/postgres/sql/rejected.ts";
import { isRotating } from "../../store/postgres/sql/rotation.ts";
import {
  countVaultKeys,
  findOriginals,
  VAULT_TABLE,
  type VaultKeyCount,
} from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import type { MaskCount, MaskedValue } from "../../store/row_store.ts";
import type { Databases } from "../../worker/databases.ts";
import { type Rotation, throwIfStopped } from "./rotation.ts";

/** What reads the databases for a status, and can be stopped. */
export type StatusScope = Pick<Rotation, "databases" | "signal">;

/** Rows of one masked column, by the key of their mask. */
export interface RowCount {
  readonly field: string;
  /** The key's id; null for a value that is not a mask. */
  readonly key: string | null;
  readonly rows: number;
  /** Those whose original is not in the vault. Always 0 for a key that was not asked for. */
  readonly withoutOriginal: number;
}

/** Masks and sealed values, by key. */
export interface RotationStatus {
  /** The mask keys of the settings, in their order. */
  readonly maskKeys: readonly string[];
  /** The vault key of the settings; null if it is not set. */
  readonly vaultKey: string | null;
  /** Whether a rotation of the mask key has begun and not ended. */
  readonly isRotating: boolean;
  readonly rows: readonly RowCount[];
  readonly vault: readonly VaultKeyCount[];
  readonly rejected: readonly RejectedKeyCount[];
}

/** Blocks in one range: about 25,000 rows. An estimate, not measured. */
const BLOCKS_PER_RANGE = 500;

/** Counts rows, originals and rejected bodies by key, in one walk over each table. Opens nothing. */
export async function readRotationStatus(scope: StatusScope): Promise<RotationStatus> {
  const { databases: { database, settings } } = scope;
  const maskKeys = (settings.MASK_KEY ?? []).map(({ id }) => id);
  const [steps] = await database.query<{ present: boolean }>(isRotating);
  return {
    maskKeys,
    vaultKey: settings.VAULT_PUBLIC_KEY?.[0].id ?? null,
    isRotating: steps?.present ?? false,
    rows: await countRows(scope, maskKeys.slice(1)),
    vault: await countVault(scope),
    rejected: await countRejected(scope),
  };
}

async function countVault({ databases: { vault }, signal }: StatusScope): Promise<VaultKeyCount[]> {
  const counts = new Map<string, VaultKeyCount>();
  for await (const { from, end } of walkBlocks(vault, VAULT_TABLE, BLOCKS_PER_RANGE)) {
    throwIfStopped(signal);
    for (const row of await vault.query<VaultKeyCount>(countVaultKeys, [from, end])) {
      const name = JSON.stringify([row.field, row.mask_key, row.vault_key]);
      const entries = (counts.get(name)?.entries ?? 0) + row.entries;
      counts.set(name, { ...row, entries });
    }
  }
  return sortByKey(counts);
}

async function countRejected(
  { databases: { database }, signal }: StatusScope,
): Promise<RejectedKeyCount[]> {
  const counts = new Map<string, RejectedKeyCount>();
  for await (const { from, end } of walkBlocks(database, REJECTED_TABLE, BLOCKS_PER_RANGE)) {
    throwIfStopped(signal);
    for (const row of await database.query<RejectedKeyCount>(countRejectedKeys, [from, end])) {
      const bodies = (counts.get(row.vault_key)?.bodies ?? 0) + row.bodies;
      counts.set(row.vault_key, { ...row, bodies });
    }
  }
  return sortByKey(counts);
}

/** Sorts by key, so that two statuses can be compared. */
function sortByKey<T>(counts: ReadonlyMap<string, T>): T[] {
  return [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([, count]) => count);
}

/**
 * Counts the rows of the target table by masked column and mask key, in one walk.
 *
 * @param old keys whose masks are looked up in the vault
 */
export async function countRows(
  { databases: { rows: store, vault }, signal }: StatusScope,
  old: readonly string[],
): Promise<RowCount[]> {
  const counts = new Map<string, { -readonly [Name in keyof RowCount]: RowCount[Name] }>();
  for await (const range of store.walk(BLOCKS_PER_RANGE)) {
    throwIfStopped(signal);
    const found = await store.countMasks(range, old);
    const missing = await findWithoutOriginal(vault, found);
    for (const row of found) {
      const { field, key_id: key, rows } = row;
      const name = `${field}\0${key ?? ""}`;
      const count = counts.get(name) ?? { field, key, rows: 0, withoutOriginal: 0 };
      count.rows += rows;
      if (missing.has(row)) count.withoutOriginal += rows;
      counts.set(name, count);
    }
  }
  return [...counts.values()].sort((a, b) =>
    a.field.localeCompare(b.field) || (a.key ?? "").localeCompare(b.key ?? "")
  );
}

async function findWithoutOriginal(
  vault: Databases["vault"],
  found: readonly MaskCount[],
): Promise<ReadonlySet<MaskCount>> {
  const masks = found.filter(({ mask }) => mask !== null);
  if (masks.length === 0) return new Set();
  const present = await vault.query<MaskedValue>(findOriginals, [
    masks.map(({ field }) => field),
    masks.map(({ mask }) => mask),
  ]);
  const names = new Set(present.map(({ field, mask }) => `${field}\0${mask}`));
  return new Set(masks.filter(({ field, mask }) => !names.has(`${field}\0${mask}`)));
}
