import type { MaskKey } from "./mask_key.ts";

/** Length of a subkey: the output of SHA-256, as RFC 2104 section 3 wants it. In bytes. */
export const SUBKEY_BYTES = 32;

/**
 * What `crypto.subtle` derives a field's subkey with: HKDF-SHA-256 (RFC 5869) with the info
 * `maskline/mask/v1/<field>`. The pepper, where there is one, is the salt: HKDF-Extract is HMAC keyed by
 * the salt, so that neither the mask key nor the pepper alone tells anything of a subkey.
 */
export function subkeyDerivation(field: string, pepper: Uint8Array<ArrayBuffer>): HkdfParams {
  const info = new TextEncoder().encode(`maskline/mask/v1/${field}`);
  return { name: "HKDF", hash: "SHA-256", salt: pepper, info };
}

/**
 * The mask key as `crypto.subtle` takes it for {@linkcode subkeyDerivation}.
 *
 * @throws {RangeError} it is not 32 bytes long
 */
export async function importMaskKey(key: MaskKey): Promise<CryptoKey> {
  if (key.bytes.length !== 32) {
    throw new RangeError(`Mask key ${key.id} has ${key.bytes.length} bytes, wanted 32`);
  }
  const usages: KeyUsage[] = ["deriveKey", "deriveBits"];
  return await crypto.subtle.importKey("raw", key.bytes, "HKDF", false, usages);
}
