import type { Settings } from "../../config/read_settings.ts";
import type { FastMasker } from "../../mask/fast_mask.ts";
import { createFastMasker } from "../../mask/fast_mask.ts";
import { isMask, type KeyRing, readKeyId } from "../../mask/mask_key.ts";
import type { SealedEntry } from "../../store/sql/sealed_entries.ts";
import { OpenError } from "../../vault/open_error.ts";
import type { SkippedEntries } from "./left_alone.ts";
import { createMaskerOptions } from "../masker_options_of.ts";
import type { VaultKeyPair } from "../own_sealer.ts";

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
 * @throws {RangeError} a key is not 32 bytes long
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
  if (!first) throw new RangeError("The ring has no first key");

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
