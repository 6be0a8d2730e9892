import type { Settings } from "../config/read_settings.ts";
import { createMasker, type Masker, readKeyId } from "../mask/mask.ts";
import type { Queryable } from "../store/postgres/database.ts";
import { type SealedOriginal, sealedOriginals } from "../store/postgres/sql/vault.ts";
import { type KeyChain, OpenError } from "../vault/open.ts";
import { createMaskerOptions } from "../worker/keys.ts";

/** What became of a mask: its original; or why that is not shown; or nothing is kept of it. */
export type Opened =
  | { readonly is: "original"; readonly mask: string; readonly original: string }
  | { readonly is: "refused"; readonly mask: string; readonly why: string }
  | { readonly is: "missing"; readonly mask: string };

/** With what {@linkcode openOriginals} opens. */
export interface OpenOriginalsOptions {
  readonly vault: Queryable;
  readonly field: string;
  readonly keys: KeyChain;
  readonly check: MaskCheck;
}

/**
 * Fetches the originals of some masks by one statement and opens them, in the order of the masks. One
 * that does not open costs the others nothing.
 *
 * @throws {StoreError} the vault cannot be read
 */
export async function openOriginals(
  masks: readonly string[],
  { vault, field, keys, check }: OpenOriginalsOptions,
): Promise<Opened[]> {
  const rows = await vault.query<SealedOriginal>(sealedOriginals, [field, masks]);
  const kept = new Map(rows.map((row) => [row.mask, row]));
  return await Promise.all(masks.map(async (mask): Promise<Opened> => {
    const row = kept.get(mask);
    if (!row) return { is: "missing", mask };
    try {
      // A copy, since the driver gives views into what it received.
      const original = await keys.open(new Uint8Array(row.sealed), row.key_id, { field, mask });
      if (await check(mask, original) === "other") return { is: "refused", mask, why: POISONED };
      return { is: "original", mask, original };
    } catch (error) {
      if (!(error instanceof OpenError)) throw error;
      return { is: "refused", mask, why: error.message };
    }
  }));
}

const POISONED =
  "It opens, but MASK_KEY makes another mask of it: somebody put a value of their choice there, or " +
  "MASK_KEY or MASK_PEPPER is not the one that made the mask";

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
