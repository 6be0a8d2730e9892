import type { KeyRing } from "../../base/named_key.ts";
import { createFastMasker, type FastMasker } from "../../mask/fast_mask.ts";
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
  VAULT_TABLE,
} from "../../store/postgres/sql/vault.ts";
import { walkBlocks } from "../../store/postgres/walk_blocks.ts";
import type { MaskedValue } from "../../store/row_store.ts";
import { OpenError } from "../../vault/open.ts";
import { listPersonalFields } from "../../worker/contract.ts";
import type { Databases } from "../../worker/databases.ts";
import { createMaskerOptions, type VaultKeyPair } from "../../worker/keys.ts";
import { assertLockHeld, type Rotation, SkippedEntries } from "./rotation.ts";

/** Blocks of the vault in one range: about 1,000 entries of 200 bytes. */
const VAULT_BLOCKS_PER_RANGE = 32;

/**
 * Records the step to the new mask, and stores the original under that mask too, for each entry of the vault
 * whose mask has a key other than `first`: the first phase. What an earlier run did is not opened again.
 *
 * The step is recorded before the original is stored. `forget` refuses while there are steps, so no person can
 * be forgotten between the two and have their original restored.
 */
export async function remaskEntries(
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
    const missing = found.filter((entry) => !done.has(joinEntryKey(entry)));
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
  const names = new Set(stored.map(joinEntryKey));
  return new Set(
    steps.flatMap(({ field, old_mask, new_mask }) =>
      names.has(joinEntryKey({ field, mask: new_mask }))
        ? [joinEntryKey({ field, mask: old_mask })]
        : []
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
  const names = new Set(some.map(joinEntryKey));
  const others = all.filter((entry) => !names.has(joinEntryKey(entry)));
  await database.query(removeSteps, [
    others.map(({ field }) => field),
    others.map(({ mask }) => mask),
  ]);
}

/** Neither part can contain a NUL. */
function joinEntryKey({ field, mask }: MaskedValue): string {
  return `${field}\0${mask}`;
}

/** An original under its new mask; `mask` is the old one. */
interface Remasked extends MaskedValue {
  readonly newMask: string;
  readonly sealed: Uint8Array;
}

/** Opens entries of the vault, and seals them under the mask that the first key computes. */
export interface Remasker {
  /** The vault key for which it seals. */
  readonly vaultKeyId: string;
  /** Counts in `skipped` why an entry cannot be re-masked. */
  remask(entries: readonly SealedEntry[], skipped: SkippedEntries): Promise<Remasked[]>;
}

/**
 * Creates the remasker of a key ring. Sealing needs only the vault's public key, so an entry may contain a value
 * that another client chose. The key that computed its mask must compute the same mask of it again.
 */
export async function createRemasker(
  { settings, contract }: Databases,
  ring: KeyRing,
  { sealer, keys }: VaultKeyPair,
): Promise<Remasker> {
  const fields = listPersonalFields(contract);
  const options = createMaskerOptions(ring, fields, settings);
  const maskers = new Map<string, FastMasker>();
  for (const { id } of ring) maskers.set(id, await createFastMasker({ ...options, keyId: id }));
  const first = await createFastMasker(options);

  const open = async (
    { field, mask, sealed, key_id }: SealedEntry,
    skipped: SkippedEntries,
  ): Promise<string | undefined> => {
    if (!isMask(mask) || !fields.includes(field)) return void skipped.add("not a mask");
    const id = readKeyId(mask);
    const masker = maskers.get(id);
    if (!masker) return void skipped.add("unknown mask key", id);
    if (!keys.ids.includes(key_id)) return void skipped.add("unknown vault key", key_id);
    try {
      // A copy, because the driver returns views into what it received.
      const original = await keys.open(new Uint8Array(sealed), key_id, { field, mask });
      if (masker.mask(field, original) === mask) return original;
      skipped.add("other mask", id);
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      skipped.add("does not open", key_id);
    }
    return undefined;
  };

  return {
    vaultKeyId: sealer.keyId,
    async remask(entries, skipped) {
      const originals = await Promise.all(entries.map((entry) => open(entry, skipped)));
      const batch = await sealer.startBatch();
      return entries.flatMap(({ field, mask }, index): Remasked[] => {
        const original = originals[index];
        if (original === undefined) return [];
        const newMask = first.mask(field, original);
        const sealed = batch.seal(original, { field, mask: newMask });
        return [{ field, mask, newMask, sealed }];
      });
    },
  };
}
