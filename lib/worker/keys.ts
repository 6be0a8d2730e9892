import { type Settings, SettingsError } from "../config/read_settings.ts";
import type { KeyRing } from "../base/named_key.ts";
import type { MaskerOptions } from "../mask/mask.ts";
import { createKeyChain, type KeyChain, OpenError } from "../vault/open.ts";
import { createSealer, DATA_KEY_LIFETIME_MS, type Sealer } from "../vault/seal.ts";

/** Options of a masker for these fields: the key ring, and the pepper of the settings. */
export function createMaskerOptions(
  ring: KeyRing,
  fields: readonly string[],
  { MASK_PEPPER }: Settings,
): MaskerOptions {
  return { ring, fields, pepper: MASK_PEPPER?.[0].bytes };
}

/** Seals to a public key, and opens with private ones, that of the same id among them. */
export interface VaultKeyPair {
  readonly sealer: Sealer;
  readonly keys: KeyChain;
}

const PROBE = { text: "probe", binding: { field: "probe", mask: "probe" } };

/**
 * Makes the sealer of VAULT_PUBLIC_KEY after a probe that VAULT_PRIVATE_KEY opens what it seals. Whoever
 * seals anew and removes the old must know that first: to another key, everything would be lost.
 *
 * @throws {SettingsError} it has no key of that id, or one that is not the other half
 */
export async function openKeyPair(
  { VAULT_PUBLIC_KEY, VAULT_PRIVATE_KEY }: Settings,
): Promise<VaultKeyPair> {
  const publicKey = VAULT_PUBLIC_KEY?.[0];
  if (!publicKey) throw new SettingsError(["VAULT_PUBLIC_KEY: is not set"]);
  const { id } = publicKey;
  const keys = createKeyChain(VAULT_PRIVATE_KEY ?? []);
  if (!keys.ids.includes(id)) {
    throw new SettingsError([
      `VAULT_PRIVATE_KEY: has no ${id}, wanted the private half of VAULT_PUBLIC_KEY too`,
    ]);
  }
  const sealer = await createSealer(publicKey, { dataKeyMilliseconds: DATA_KEY_LIFETIME_MS });
  const { text, binding } = PROBE;
  const sealed = (await sealer.startBatch()).seal(text, binding);
  try {
    if (await keys.open(sealed, id, binding) === text) return { sealer, keys };
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
  }
  throw new SettingsError([
    `VAULT_PRIVATE_KEY: its ${id} is not the private half of VAULT_PUBLIC_KEY`,
  ]);
}
