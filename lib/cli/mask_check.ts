import type { Settings } from "../config/read_settings.ts";
import { createMasker, type Masker } from "../mask/mask.ts";
import { readKeyId } from "../mask/mask_key.ts";
import { createMaskerOptions } from "./masker_options_of.ts";

/** Tells whether an original is the one that a mask was made of; `unknown` without the mask's key. */
export type MaskCheck = (mask: string, original: string) => Promise<"same" | "other" | "unknown">;

/**
 * Makes the check of a field's originals by the MASK_KEY of the settings. Sealing needs only the vault's
 * public key, so whoever can write to the vault can put any value under any mask, and it opens. What they
 * lack is the mask key: the mask of their value is another.
 */
export function createMaskCheck(settings: Settings, field: string): MaskCheck {
  const { MASK_KEY: ring } = settings;
  const maskers = new Map<string, Promise<Masker>>();
  return async (mask, original) => {
    const keyId = readKeyId(mask);
    if (!ring?.some(({ id }) => id === keyId)) return "unknown";
    let masker = maskers.get(keyId);
    if (!masker) {
      masker = createMasker({ ...createMaskerOptions(ring, [field], settings), keyId });
      maskers.set(keyId, masker);
    }
    return await (await masker).mask(field, original) === mask ? "same" : "other";
  };
}
