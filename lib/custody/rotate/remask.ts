import { OperationError } from "../../base/errors.ts";
import { formatCount } from "../../cli/terminal/format.ts";
import type { Phase } from "../../cli/terminal/progress.ts";
import type { Settings } from "../../config/read_settings.ts";
import { createFastMasker, type FastMasker } from "../../mask/fast_mask.ts";
import type { KeyRing } from "../../base/named_key.ts";
import { isMask, readKeyId } from "../../mask/mask.ts";
import {
  findSteps,
  recordSteps,
  removeSteps,
  removeStepsFrom,
  type RotationStep,
} from "../../store/postgres/sql/rotation.ts";
import {
  entriesOfOtherMaskKeys,
  findOriginals,
  type SealedEntry,
  upsertRemasked,
} from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import { OpenError } from "../../vault/open.ts";
import { createMaskerOptions, type VaultKeyPair } from "../../worker/keys.ts";
import { assertLockHeld, type Rotation, SkippedEntries, VAULT_TABLE } from "./rotation.ts";

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

/** An original under its new mask. */
export interface Remasked {
  readonly field: string;
  readonly oldMask: string;
  readonly newMask: string;
  readonly sealed: Uint8Array;
}

/** Options of {@linkcode createRemasker}. */
export interface RemaskerOptions {
  readonly ring: KeyRing;
  readonly fields: readonly string[];
  readonly settings: Settings;
  readonly own: VaultKeyPair;
}

/** Opens entries of the vault and seals them under the mask that the first key makes. */
export interface Remasker {
  /** The vault key that it seals for. */
  readonly vaultKeyId: string;
  /** Why an entry cannot be re-masked is counted in `left`. */
  remask(entries: readonly SealedEntry[], left: SkippedEntries): Promise<Remasked[]>;
}

/**
 * Makes the remasker of a key ring. Sealing needs only the vault's public key, so an entry may hold a
 * value of somebody's choice: the key that made its mask must make the same one of it again.
 *
 * @throws {OperationError} a key is not 32 bytes long
 */
export async function createRemasker(options: RemaskerOptions): Promise<Remasker> {
  const { ring, fields, settings, own: { sealer, keys } } = options;
  const maskers = new Map<string, FastMasker>();
  for (const { id } of ring) {
    const masker = await createFastMasker({
      ...createMaskerOptions(ring, fields, settings),
      keyId: id,
    });
    maskers.set(id, masker);
  }
  const first = maskers.get(ring[0].id);
  if (!first) throw new OperationError("The ring has no first key");

  const open = async (
    { field, mask, sealed, key_id }: SealedEntry,
    left: SkippedEntries,
  ): Promise<string | undefined> => {
    if (!isMask(mask) || !fields.includes(field)) return void left.add("no mask");
    const id = readKeyId(mask);
    const masker = maskers.get(id);
    if (!masker) return void left.add("unknown mask key", id);
    if (!keys.ids.includes(key_id)) return void left.add("unknown vault key", key_id);
    try {
      // A copy, since the driver gives views into what it received.
      const original = await keys.open(new Uint8Array(sealed), key_id, { field, mask });
      if (masker.mask(field, original) === mask) return original;
      left.add("another mask", id);
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      left.add("does not open", key_id);
    }
    return undefined;
  };

  return {
    vaultKeyId: sealer.keyId,
    async remask(entries, left) {
      const originals = await Promise.all(entries.map((entry) => open(entry, left)));
      const batch = await sealer.startBatch();
      return entries.flatMap(({ field, mask: oldMask }, index): Remasked[] => {
        const original = originals[index];
        if (original === undefined) return [];
        const newMask = first.mask(field, original);
        return [{
          field,
          oldMask,
          newMask,
          sealed: batch.seal(original, { field, mask: newMask }),
        }];
      });
    },
  };
}
