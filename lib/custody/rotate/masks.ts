import { OperationError } from "../../base/errors.ts";
import type { KeyRing } from "../../base/named_key.ts";
import { type Settings, SettingsError } from "../../config/read_settings.ts";
import {
  findSteps,
  readSteps,
  recordSteps,
  removeSteps,
  removeStepsFrom,
  type RotationStep,
} from "../../store/postgres/sql/rotation.ts";
import {
  entriesOfOtherMaskKeys,
  findOriginals,
  removeOriginals,
  type SealedEntry,
  upsertRemasked,
  VAULT_TABLE,
} from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import { type MaskedValue, toMapKey } from "../../store/row_store.ts";
import type { Databases } from "../../worker/databases.ts";
import { openKeyPair } from "../../worker/keys.ts";
import type { Justification } from "../audit.ts";
import { createRemasker, type Remasked, type Remasker } from "./remasker.ts";
import {
  assertLockHeld,
  countRows,
  MAX_WALKS,
  recordRotation,
  type Rotation,
  type RowCount,
  SkippedEntries,
  VAULT_BLOCKS_PER_RANGE,
} from "./rotation.ts";

/** The result of a rotation of the mask key. */
export interface MaskRotation {
  /** What was rotated, as in `mask k1 → k2`. */
  readonly name: string;
  /** Vault entries that were stored under new masks. */
  readonly entries: number;
  readonly rows: number;
  /** Vault entries of old masks that were removed. */
  readonly removed: number;
  readonly skipped: SkippedEntries;
  /** Rows that still have masks of other keys than the first. */
  readonly oldRows: readonly RowCount[];
  /** Rows that were stored with masks of an old key meanwhile, and whose original is not in the vault. */
  readonly storedMeanwhile: number;
}

/** Rows in a transaction. An estimate, not measured. */
const ROWS_PER_PART = 10_000;

/** Entries in a transaction. An estimate, not measured. */
const STEPS_PER_PAGE = 1000;

/**
 * Moves every mask of the vault and of the target table to the first key of MASK_KEY, while workers continue. It
 * may be killed at any moment and run again.
 *
 * The order keeps every row's original in the vault at every moment: first each original is stored under its new
 * mask too, then the rows change, and only then the old entries are removed. A worker that still has the old key
 * first breaks this, and the result shows it.
 *
 * @throws {SettingsError} MASK_KEY has one key, or the vault's two keys do not belong together
 * @throws {StoreError | OperationError} what is done stays done; run it again
 */
export async function rotateMasks(
  rotation: Rotation,
  justification: Justification,
): Promise<MaskRotation> {
  const { databases, report } = rotation;
  const ring = readRing(databases.settings);
  const [{ id: first }, ...others] = ring;
  const keyPair = await openKeyPair(databases.settings);
  const remasker = await createRemasker(databases, ring, keyPair);
  await assertLockHeld(rotation);
  const oldIds = others.map(({ id }) => id);
  const name = `mask ${oldIds.join(", ")} → ${first}`;
  await recordRotation(rotation, justification, `${name}: begins`);

  const before = countWithoutOriginal(await countRows(rotation, oldIds));
  report({ phase: "vault", state: "begins", count: 0 });
  const { entries, skipped } = await remaskEntries(rotation, { first, remasker });
  report({ phase: "vault", state: "ends", count: entries });
  report({ phase: "rows", state: "begins", count: 0 });
  const rows = await replaceMasks(rotation);
  report({ phase: "rows", state: "ends", count: rows });
  report({ phase: "old entries", state: "begins", count: 0 });
  const removed = await removeOldEntries(rotation);
  report({ phase: "old entries", state: "ends", count: removed });

  const counts = await countRows(rotation, oldIds);
  await recordRotation(
    rotation,
    justification,
    `${name}: ${entries} entries, ${rows} rows, ${removed} old entries removed, ` +
      `${skipped.total} skipped`,
  );
  const oldRows = counts.filter(({ key }) => key !== null && key !== first);
  return {
    name,
    entries,
    rows,
    removed,
    skipped,
    oldRows,
    storedMeanwhile: countWithoutOriginal(counts) - before,
  };
}

/** Counts the rows whose original is not in the vault. */
function countWithoutOriginal(counts: readonly RowCount[]): number {
  return counts.reduce((sum, { withoutOriginal }) => sum + withoutOriginal, 0);
}

/** @throws {SettingsError} there is only one key */
function readRing({ MASK_KEY }: Settings): KeyRing {
  if (MASK_KEY && MASK_KEY.length > 1) return MASK_KEY;
  throw new SettingsError([
    "MASK_KEY: expected the new key first and then the old ones, got one key",
  ]);
}

/**
 * Records the step to the new mask, and stores the original under that mask too, for each entry of the vault
 * whose mask has a key other than `first`: the first phase. What an earlier run did is not opened again.
 *
 * The step is recorded before the original is stored. `forget` refuses while there are steps, so no person can
 * be forgotten between the two and have their original restored.
 */
async function remaskEntries(
  rotation: Rotation,
  { first, remasker }: { readonly first: string; readonly remasker: Remasker },
): Promise<{ entries: number; skipped: SkippedEntries }> {
  const { databases: { vault, database }, report } = rotation;
  const skipped = new SkippedEntries();
  let entries = 0;
  for await (
    const { from, end, reached, blocks } of walkBlocks(vault, VAULT_TABLE, VAULT_BLOCKS_PER_RANGE)
  ) {
    await assertLockHeld(rotation);
    const found = await vault.query<SealedEntry>(entriesOfOtherMaskKeys, [from, end, first]);
    const done = await findDone(rotation.databases, found, first);
    const missing = found.filter((entry) => !done.has(toMapKey(entry)));
    const remasked = await remasker.remask(missing, skipped);
    if (remasked.length > 0) {
      entries += await storeRemasked(rotation.databases, remasked, remasker.vaultKeyId);
    }
    if (remasked.length < missing.length) {
      await dropOtherSteps(rotation.databases, missing, remasked);
    }
    report({ phase: "vault", state: "continues", count: entries, share: reached / blocks });
  }
  // Otherwise a rotation that was reversed halfway would change rows back and forth.
  await database.query(removeStepsFrom, [first]);
  return { entries, skipped };
}

/** Finds the entries with a step to a mask of the first key, and an original under that mask. */
async function findDone(
  { database, vault }: Databases,
  found: readonly SealedEntry[],
  first: string,
): Promise<ReadonlySet<string>> {
  if (found.length === 0) return new Set();
  const steps = (await database.query<RotationStep>(findSteps, [
    found.map(({ field }) => field),
    found.map(({ mask }) => mask),
  ])).filter(({ new_mask }) => new_mask.startsWith(`${first}.`));
  if (steps.length === 0) return new Set();
  const stored = await vault.query<MaskedValue>(findOriginals, [
    steps.map(({ field }) => field),
    steps.map(({ new_mask }) => new_mask),
  ]);
  const names = new Set(stored.map(toMapKey));
  return new Set(
    steps.flatMap(({ field, old_mask, new_mask }) =>
      names.has(toMapKey({ field, mask: new_mask })) ? [toMapKey({ field, mask: old_mask })] : []
    ),
  );
}

/** Returns how many entries were stored: those that were not removed at the same moment. */
async function storeRemasked(
  { database, vault }: Databases,
  remasked: readonly Remasked[],
  vaultKeyId: string,
): Promise<number> {
  const fields = remasked.map(({ field }) => field);
  const oldMasks = remasked.map(({ mask }) => mask);
  const newMasks = remasked.map(({ newMask }) => newMask);
  await database.query(recordSteps, [fields, oldMasks, newMasks]);
  const sealed = remasked.map((entry) => entry.sealed);
  const stored = await vault.query<MaskedValue>(upsertRemasked, [
    fields,
    oldMasks,
    newMasks,
    sealed,
    vaultKeyId,
  ]);
  if (stored.length < remasked.length) await dropOtherSteps({ database }, remasked, stored);
  return stored.length;
}

/**
 * Drops the steps of `all` but those of `some`: of entries that were removed, or cannot be re-masked now. A run
 * that was killed may have recorded a step and stored nothing under the new mask. The third phase would then
 * remove the only original.
 */
async function dropOtherSteps(
  { database }: Pick<Databases, "database">,
  all: readonly MaskedValue[],
  some: readonly MaskedValue[],
): Promise<void> {
  const names = new Set(some.map(toMapKey));
  const others = all.filter((entry) => !names.has(toMapKey(entry)));
  await database.query(removeSteps, [
    others.map(({ field }) => field),
    others.map(({ mask }) => mask),
  ]);
}

/**
 * Replaces the old masks of all rows by the recorded new ones: the second phase. A row that is changed moves to
 * where there is free space. The table is walked until nothing is left to change, so that no row has a recorded
 * old mask when this resolves, except rows that a worker stores after it.
 *
 * @returns how many rows were changed
 * @throws {OperationError} each walk finds new ones: a worker still computes masks of an old key
 */
async function replaceMasks(rotation: Rotation): Promise<number> {
  const { rows: store } = rotation.databases;
  let changed = 0;
  for (let walk = 1; walk <= MAX_WALKS; walk++) {
    const before = changed;
    for await (const range of store.walk(ROWS_PER_PART)) {
      await assertLockHeld(rotation);
      changed += await store.replaceMasks(range);
      const { progress: share } = range;
      rotation.report({ phase: "rows", state: "continues", count: changed, walk, share });
    }
    if (changed === before) return changed;
  }
  throw new OperationError(
    "Workers still store rows with masks of an old key: restart every worker with the new key first in " +
      "MASK_KEY, and run this command again. Nothing was removed",
  );
}

/**
 * Removes the vault entries of the recorded old masks, and then their steps: the third phase. It must run only
 * when no row has such a mask.
 *
 * @returns how many steps were removed; none is left when this resolves
 */
async function removeOldEntries(rotation: Rotation): Promise<number> {
  const { database, vault } = rotation.databases;
  let removed = 0;
  let last = { field: "", old_mask: "" };
  for (;;) {
    await assertLockHeld(rotation);
    const steps = await database.query<RotationStep>(readSteps, [
      last.field,
      last.old_mask,
      STEPS_PER_PAGE,
    ]);
    const end = steps.at(-1);
    if (!end) return removed;
    last = end;
    const names = [steps.map(({ field }) => field), steps.map(({ old_mask }) => old_mask)];
    // The step last: without it, a run after a kill between the two would not find the entry.
    await vault.query(removeOriginals, names);
    await database.query(removeSteps, names);
    removed += steps.length;
    rotation.report({ phase: "old entries", state: "continues", count: removed });
  }
}
