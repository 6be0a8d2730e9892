import { findSealedOriginals, type SealedOriginal } from "../store/postgres/sql/vault.ts";
import { createKeyChain, type KeyChain, OpenError } from "../vault/open.ts";
import type { Databases } from "../worker/databases.ts";
import { createMaskCheck, type MaskCheck } from "../worker/keys.ts";
import { type Justification, recordBeforeShowing } from "./audit.ts";

/** The result for one mask: its original, or why that is not shown, or that there is none. */
export type Revealed =
  | { readonly is: "original"; readonly mask: string; readonly original: string }
  | { readonly is: "refused"; readonly mask: string; readonly why: string }
  | { readonly is: "missing"; readonly mask: string };

/** Masks that are read and opened before the next ones are. An estimate, not measured: well below 1 MB. */
const MASKS_PER_PAGE = 500;

const POISONED =
  "It opens, but MASK_KEY computes another mask of it: the value was stored there by another client, or " +
  "MASK_KEY or MASK_PEPPER is not the one that computed the mask";

/**
 * Records in the audit log that the originals of these masks are revealed, and then opens them page by page, in
 * the order of the masks. A mask whose original does not open does not affect the others.
 *
 * @param masks of one field, each once
 * @throws {StoreError} the audit log could not be written, so nothing is shown; or the vault cannot be read
 */
export async function* reveal(
  { settings, vault }: Databases,
  field: string,
  masks: readonly string[],
  justification: Justification,
): AsyncGenerator<readonly Revealed[]> {
  if (masks.length === 0) return;
  const keys = createKeyChain(settings.VAULT_PRIVATE_KEY ?? []);
  const check = createMaskCheck(settings, field);
  const subjects = masks.map((mask) => ({ field, mask }));
  await recordBeforeShowing(vault, { action: "reveal", subjects, ...justification });
  for (let from = 0; from < masks.length; from += MASKS_PER_PAGE) {
    const page = masks.slice(from, from + MASKS_PER_PAGE);
    const rows = await vault.query<SealedOriginal>(findSealedOriginals, [field, page]);
    const kept = new Map(rows.map((row) => [row.mask, row]));
    yield await Promise.all(page.map(async (mask): Promise<Revealed> => {
      const row = kept.get(mask);
      return row ? await openOriginal(row, { field, keys, check }) : { is: "missing", mask };
    }));
  }
}

async function openOriginal(
  { mask, sealed, key_id }: SealedOriginal,
  { field, keys, check }: { field: string; keys: KeyChain; check: MaskCheck },
): Promise<Revealed> {
  try {
    // A copy, because the driver returns views into what it received.
    const original = await keys.open(new Uint8Array(sealed), key_id, { field, mask });
    if (await check(mask, original) === "other") return { is: "refused", mask, why: POISONED };
    return { is: "original", mask, original };
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    return { is: "refused", mask, why: error.message };
  }
}
