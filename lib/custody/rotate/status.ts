import type { Settings } from "../../config/read_settings.ts";
import { countRejectedKeys, type RejectedKeyCount } from "../../store/postgres/sql/rejected.ts";
import { rotationUnderWay } from "../../store/postgres/sql/rotation.ts";
import { countRowMasks, type RowMaskCount } from "../../store/postgres/sql/row_masks.ts";
import {
  countVaultKeys,
  findOriginals,
  type VaultKeyCount,
} from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import { REJECTED_TABLE, type Rotation, throwIfStopped, VAULT_TABLE } from "./rotation.ts";

/** Where masks and sealed values stand, by key. */
export interface RotationStatus {
  /** The keys of the settings, the first first; that of the vault is null where it is not set. */
  readonly maskKeys: readonly string[];
  readonly vaultKey: string | null;
  /** Whether a rotation of the mask key has begun and not ended. */
  readonly underWay: boolean;
  readonly rows: readonly RowCount[];
  readonly vault: readonly VaultKeyCount[];
  readonly rejected: readonly RejectedKeyCount[];
}

/** Blocks at once. A guess. */
const BLOCKS_PER_RANGE = 500;

/** Counts what stands under which key, each table in one walk. Opens nothing. */
export async function rotationStatus(
  rotation: Rotation,
  { MASK_KEY, VAULT_PUBLIC_KEY }: Settings,
): Promise<RotationStatus> {
  const { database, vault, io } = rotation;
  const maskKeys = (MASK_KEY ?? []).map(({ id }) => id);
  const [steps] = await database.query<{ present: boolean }>(rotationUnderWay);
  const entries = new Map<string, VaultKeyCount>();
  for await (const { from, end } of walkBlocks(vault, VAULT_TABLE, BLOCKS_PER_RANGE)) {
    throwIfStopped(io);
    for (const row of await vault.query<VaultKeyCount>(countVaultKeys, [from, end])) {
      const name = JSON.stringify([row.field, row.mask_key, row.vault_key]);
      const sum = (entries.get(name)?.entries ?? 0) + row.entries;
      entries.set(name, { ...row, entries: sum });
    }
  }
  const bodies = new Map<string, RejectedKeyCount>();
  for await (const { from, end } of walkBlocks(database, REJECTED_TABLE, BLOCKS_PER_RANGE)) {
    throwIfStopped(io);
    for (const row of await database.query<RejectedKeyCount>(countRejectedKeys, [from, end])) {
      const sum = (bodies.get(row.vault_key)?.bodies ?? 0) + row.bodies;
      bodies.set(row.vault_key, { ...row, bodies: sum });
    }
  }
  return {
    maskKeys,
    vaultKey: VAULT_PUBLIC_KEY?.[0].id ?? null,
    underWay: steps?.present ?? false,
    rows: await countRows(rotation, maskKeys.slice(1)),
    vault: sorted(entries),
    rejected: sorted(bodies),
  };
}

/** By key, so that two answers can be compared. */
function sorted<T>(counts: ReadonlyMap<string, T>): T[] {
  return [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([, count]) => count);
}

/** Rows of one masked column, by the key of their mask. */
export interface RowCount {
  readonly field: string;
  /** The key's id; null for what is no mask of Maskline. */
  readonly key: string | null;
  readonly rows: number;
  /** Of those, the ones whose original is not in the vault. Always 0 for a key that is not asked for. */
  readonly withoutOriginal: number;
}

/** Blocks at once: some 25,000 rows. A guess. */
const ROW_BLOCKS_PER_RANGE = 500;

/**
 * Counts the rows of the target table by masked column and mask key, in one walk over it.
 *
 * @param old keys whose masks are looked up in the vault
 */
export async function countRows(
  { database, vault, table, io }: Rotation,
  old: readonly string[],
): Promise<RowCount[]> {
  const counts = new Map<string, { -readonly [Name in keyof RowCount]: RowCount[Name] }>();
  const statement = countRowMasks(table);
  for await (const { from, end } of walkBlocks(database, table, ROW_BLOCKS_PER_RANGE)) {
    throwIfStopped(io);
    const found = await database.query<RowMaskCount>(statement, [from, end, old]);
    const masks = found.filter(({ mask }) => mask !== null);
    const missing = await withoutOriginal(vault, masks);
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

async function withoutOriginal(
  vault: Rotation["vault"],
  masks: readonly RowMaskCount[],
): Promise<ReadonlySet<RowMaskCount>> {
  if (masks.length === 0) return new Set();
  const present = await vault.query<{ field: string; mask: string }>(findOriginals, [
    masks.map(({ field }) => field),
    masks.map(({ mask }) => mask),
  ]);
  const names = new Set(present.map(({ field, mask }) => `${field}\0${mask}`));
  return new Set(masks.filter(({ field, mask }) => !names.has(`${field}\0${mask}`)));
}
