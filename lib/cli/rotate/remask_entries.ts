import { findOriginals } from "../../store/sql/find_originals.ts";
import { upsertRemasked } from "../../store/sql/keep_remasked.ts";
import {
  findSteps,
  recordSteps,
  removeSteps,
  removeStepsFrom,
  type RotationStep,
} from "../../store/sql/rotation_steps.ts";
import { entriesOfOtherMaskKeys, type SealedEntry } from "../../store/sql/sealed_entries.ts";
import { walkBlocks } from "../../store/walk_blocks.ts";
import { SkippedEntries } from "./left_alone.ts";
import type { Phase } from "./phase.ts";
import type { Remasked, Remasker } from "./remasker.ts";
import { assertLockHeld, type Rotation, VAULT_TABLE } from "./rotation.ts";
import { formatCount } from "../thousands.ts";

/** Blocks of the vault at once: some 1,000 entries of 200 bytes. */
const VAULT_BLOCKS_PER_RANGE = 32;

/**
 * The first phase: for each entry of the vault whose mask another key than `first` made, notes the step to
 * its new mask and keeps the original under that too. What an earlier run did is not opened again.
 *
 * The step is noted before the original is kept: `forget` refuses while there are steps, so nobody can be
 * forgotten between the two and come back.
 */
export async function remaskEntries(
  rotation: Rotation,
  { first, remasker, phase }: {
    readonly first: string;
    readonly remasker: Remasker;
    readonly phase: Phase;
  },
): Promise<{ entries: number; left: SkippedEntries }> {
  const { vault, database } = rotation;
  const left = new SkippedEntries();
  let entries = 0;
  for await (
    const { from, end, reached, blocks } of walkBlocks(vault, VAULT_TABLE, VAULT_BLOCKS_PER_RANGE)
  ) {
    await assertLockHeld(rotation);
    const found = await vault.query<SealedEntry>(entriesOfOtherMaskKeys, [from, end, first]);
    const done = await alreadyDone(rotation, found, first);
    const missing = found.filter(({ field, mask }) => !done.has(joinEntryKey(field, mask)));
    const remasked = await remasker.remask(missing, left);
    if (remasked.length > 0) {
      entries += await storeRemasked(rotation, remasked, remasker.vaultKeyId);
    }
    if (remasked.length < missing.length) await dropOthers(rotation, missing, remasked);
    phase.at(`${formatCount(entries)} entries`, reached / blocks);
  }
  // A rotation that was turned back halfway would otherwise change rows to and fro.
  await database.query(removeStepsFrom, [first]);
  return { entries, left };
}

/** The entries with a step to a mask of the first key, and an original under that. */
async function alreadyDone(
  { database, vault }: Rotation,
  found: readonly SealedEntry[],
  first: string,
): Promise<ReadonlySet<string>> {
  if (found.length === 0) return new Set();
  const steps = (await database.query<RotationStep>(findSteps, [
    found.map(({ field }) => field),
    found.map(({ mask }) => mask),
  ])).filter(({ new_mask }) => new_mask.startsWith(`${first}.`));
  if (steps.length === 0) return new Set();
  const kept = await vault.query<{ field: string; mask: string }>(findOriginals, [
    steps.map(({ field }) => field),
    steps.map(({ new_mask }) => new_mask),
  ]);
  const names = new Set(kept.map(({ field, mask }) => joinEntryKey(field, mask)));
  return new Set(
    steps.flatMap(({ field, old_mask, new_mask }) =>
      names.has(joinEntryKey(field, new_mask)) ? [joinEntryKey(field, old_mask)] : []
    ),
  );
}

/** Gives how many were kept: those that nobody removed in the same moment. */
async function storeRemasked(
  { database, vault }: Rotation,
  remasked: readonly Remasked[],
  vaultKeyId: string,
): Promise<number> {
  const fields = remasked.map(({ field }) => field);
  const oldMasks = remasked.map(({ oldMask }) => oldMask);
  const newMasks = remasked.map(({ newMask }) => newMask);
  await database.query(recordSteps, [fields, oldMasks, newMasks]);
  const sealed = remasked.map((entry) => entry.sealed);
  const kept = await vault.query<{ field: string; mask: string }>(upsertRemasked, [
    fields,
    oldMasks,
    newMasks,
    sealed,
    vaultKeyId,
  ]);
  if (kept.length < remasked.length) {
    const names = new Set(kept.map(({ field, mask }) => joinEntryKey(field, mask)));
    const gone = remasked.filter(({ field, oldMask }) => !names.has(joinEntryKey(field, oldMask)));
    await database.query(removeSteps, [
      gone.map(({ field }) => field),
      gone.map(({ oldMask }) => oldMask),
    ]);
  }
  return kept.length;
}

/**
 * Drops the steps of entries that cannot be re-masked now. A run that was killed may have noted one and
 * kept nothing under the new mask: the third phase would then remove the only original.
 */
async function dropOthers(
  { database }: Rotation,
  missing: readonly SealedEntry[],
  remasked: readonly Remasked[],
): Promise<void> {
  const names = new Set(remasked.map(({ field, oldMask }) => joinEntryKey(field, oldMask)));
  const others = missing.filter(({ field, mask }) => !names.has(joinEntryKey(field, mask)));
  await database.query(removeSteps, [
    others.map(({ field }) => field),
    others.map(({ mask }) => mask),
  ]);
}

/** Neither part can hold a NUL. */
function joinEntryKey(field: string, mask: string): string {
  return `${field}\0${mask}`;
}
