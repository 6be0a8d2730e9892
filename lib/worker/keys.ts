import type { KeyRing } from "../base/named_key.ts";
import { type Settings, SettingsError } from "../config/read_settings.ts";
import { createFastMasker, type FastMasker } from "../mask/fast_mask.ts";
import { createMasker, type Masker, type MaskerOptions, readKeyId } from "../mask/mask.ts";
import { createKeyChain, type KeyChain, OpenError } from "../vault/open.ts";
import { createSealer, DATA_KEY_LIFETIME_MS, type Sealer } from "../vault/seal.ts";

/** Creates the options of a masker for these fields: the key ring, and the pepper of the settings. */
export function createMaskerOptions(
  ring: KeyRing,
  fields: readonly string[],
  { MASK_PEPPER }: Settings,
): MaskerOptions {
  return { ring, fields, pepper: MASK_PEPPER?.[0].bytes };
}

/**
 * Creates the masker of the settings, which computes new masks by the first key of MASK_KEY.
 *
 * @throws {SettingsError} MASK_KEY is not set
 * @throws {OperationError} the runtime's hash computes other masks than Web Crypto
 */
export async function openMasker(
  settings: Settings,
  fields: readonly string[],
): Promise<FastMasker> {
  const { MASK_KEY: ring } = settings;
  if (!ring) throw new SettingsError(["MASK_KEY: is not set"]);
  return await createFastMasker(createMaskerOptions(ring, fields, settings));
}

/**
 * Creates the sealer of VAULT_PUBLIC_KEY, or nothing if VAULT is off.
 *
 * @throws {SettingsError} VAULT is on and VAULT_PUBLIC_KEY is not set
 * @throws {OperationError} the key is not an X25519 public key
 */
export async function openSealer(
  { VAULT, VAULT_PUBLIC_KEY }: Settings,
): Promise<Sealer | undefined> {
  if (VAULT === "off") return undefined;
  const key = VAULT_PUBLIC_KEY?.[0];
  if (!key) {
    throw new SettingsError([
      "VAULT_PUBLIC_KEY: is not set. Generate one with `maskline keygen`, or set VAULT=off",
    ]);
  }
  return await createSealer(key, { dataKeyMilliseconds: DATA_KEY_LIFETIME_MS });
}

/** Seals to a public key, and opens with private keys, among them the one that belongs to it. */
export interface VaultKeyPair {
  readonly sealer: Sealer;
  readonly keys: KeyChain;
}

const PROBE = { text: "probe", binding: { field: "probe", mask: "probe" } };

/**
 * Creates the sealer of VAULT_PUBLIC_KEY after a probe that VAULT_PRIVATE_KEY opens what it seals. A command
 * that re-seals values and removes the old ones must know that first: sealed to another key, all of them would
 * be lost.
 *
 * @throws {SettingsError} VAULT_PRIVATE_KEY has no key of that id, or one that does not belong to it
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
      `VAULT_PRIVATE_KEY: expected the private half of VAULT_PUBLIC_KEY among its keys, got no ${id}`,
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

/** Compares an original with its mask; `unknown` if MASK_KEY does not have the mask's key. */
export type MaskCheck = (mask: string, original: string) => Promise<"same" | "other" | "unknown">;

/**
 * Creates the check of a field's originals against their masks. Sealing needs only the vault's public key, so
 * anyone who can write to the vault can store any value under any mask, and it opens. Without the mask key they
 * cannot compute the mask of their value.
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
