import type { Settings } from "../../config/read_settings.ts";
import { countRejectedKeys, type RejectedKeyCount } from "../../store/sql/count_rejected_keys.ts";
import { countVaultKeys, type VaultKeyCount } from "../../store/sql/count_vault_keys.ts";
import { rotationUnderWay } from "../../store/sql/rotation_under_way.ts";
import { walkBlocks } from "../../store/walk_blocks.ts";
import { countRows, type RowCount } from "./count_rows.ts";
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
