import type { KeyRing } from "../../base/named_key.ts";
import { createFastMasker, type FastMasker } from "../../mask/fast_mask.ts";
import { isMask, readKeyId } from "../../mask/mask.ts";
import type { SealedEntry } from "../../store/postgres/sql/vault.ts";
import type { MaskedValue } from "../../store/row_store.ts";
import { OpenError } from "../../vault/open.ts";
import { listPersonalFields } from "../../worker/contract.ts";
import type { Databases } from "../../worker/databases.ts";
import { createMaskerOptions, type VaultKeyPair } from "../../worker/keys.ts";
import { SkippedEntries } from "./rotation.ts";

/** An original under its new mask; `mask` is the old one. */
export interface Remasked extends MaskedValue {
  readonly newMask: string;
  readonly sealed: Uint8Array;
}

/** Opens entries of the vault, and seals them under the mask that the first key computes. */
export interface Remasker {
  /** The vault key to which it seals. */
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
