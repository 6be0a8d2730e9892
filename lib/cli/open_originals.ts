import type { Queryable } from "../store/postgres.ts";
import { type SealedOriginal, sealedOriginals } from "../store/sql/sealed_originals.ts";
import type { KeyChain } from "../vault/key_chain.ts";
import { OpenError } from "../vault/open_error.ts";
import type { MaskCheck } from "./mask_check.ts";

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
