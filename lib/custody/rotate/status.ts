import {
  countRejectedKeys,
  REJECTED_TABLE,
  type RejectedKeyCount,
} from "../../store/postgres/sql/rejected.ts";
import { findRotation } from "../../store/postgres/sql/rotation.ts";
import { countVaultKeys, VAULT_TABLE, type VaultKeyCount } from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import { countRows, type CountScope, type RowCount, throwIfStopped } from "./rotation.ts";

/** Blocks that one statement counts: about 25,000 entries. An estimate, not measured. */
const BLOCKS_PER_RANGE = 500;

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

/**
 * Counts rows, originals and rejected bodies by key, in one walk over each table. Opens nothing.
 *
 * @throws {StoreError} a database refused or did not answer
 * @throws {OperationError} the signal aborted
 */
export async function readRotationStatus(scope: CountScope): Promise<RotationStatus> {
  const { databases: { database, settings } } = scope;
  const maskKeys = (settings.MASK_KEY ?? []).map(({ id }) => id);
  const [steps] = await database.query<{ present: boolean }>(findRotation);
  return {
    maskKeys,
    vaultKey: settings.VAULT_PUBLIC_KEY?.[0].id ?? null,
    isRotating: steps?.present ?? false,
    rows: await countRows(scope, maskKeys.slice(1)),
    vault: await countVault(scope),
    rejected: await countRejected(scope),
  };
}

async function countVault({ databases: { vault }, signal }: CountScope): Promise<VaultKeyCount[]> {
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
  { databases: { database }, signal }: CountScope,
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
