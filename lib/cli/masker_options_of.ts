import type { Settings } from "../config/read_settings.ts";
import type { KeyRing, MaskerOptions } from "../mask/mask_key.ts";

/** Options of a masker for these fields: the key ring, and the pepper of the settings. */
export function createMaskerOptions(
  ring: KeyRing,
  fields: readonly string[],
  { MASK_PEPPER }: Settings,
): MaskerOptions {
  return { ring, fields, pepper: MASK_PEPPER?.[0].bytes };
}
