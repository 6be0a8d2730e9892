import { findKey, type MaskerOptions } from "./mask_key.ts";
import { importMaskKey, SUBKEY_BYTES, subkeyDerivation } from "./subkey.ts";

const utf8 = new TextEncoder();
const NO_PEPPER = new Uint8Array();

/** Makes the masks of one key. */
export interface Masker {
  /**
   * The mask of a canonical value: the same for the same value in the same field, another one in
   * another field.
   *
   * @throws {RangeError} the masker was made without this field
   */
  mask(field: string, canonical: string): Promise<string>;
}

/**
 * Derives a subkey a field and gives the masker of one key of the ring:
 *
 * mask = `k1.` + base64url without padding of HMAC-SHA-256(subkey, UTF-8 of the canonical value);
 * subkey = HKDF-SHA-256(mask key, salt = pepper or nothing, info `maskline/mask/v1/<field>`, 32 bytes)
 * (RFC 2104, RFC 5869). The algorithm is frozen: a change would break every join with stored rows.
 *
 * This is the definition, in Web Crypto, which keeps the subkeys out of JavaScript's memory. The worker
 * makes the same masks by `fast_mask.ts`.
 *
 * @throws {RangeError} the ring has no key of that id, or the key is not 32 bytes long
 */
export async function createMasker(options: MaskerOptions): Promise<Masker> {
  const { fields, pepper = NO_PEPPER } = options;
  const key = findKey(options);
  const material = await importMaskKey(key);
  const algorithm = { name: "HMAC", hash: "SHA-256", length: 8 * SUBKEY_BYTES };
  const subkeys = new Map<string, CryptoKey>();
  for (const field of fields) {
    const derivation = subkeyDerivation(field, pepper);
    const subkey = await crypto.subtle.deriveKey(derivation, material, algorithm, false, ["sign"]);
    subkeys.set(field, subkey);
  }
  const prefix = `${key.id}.`;
  return {
    async mask(field, canonical) {
      const subkey = subkeys.get(field);
      if (!subkey) throw new RangeError(`No mask subkey was derived for the field ${field}`);
      const tag = await crypto.subtle.sign("HMAC", subkey, utf8.encode(canonical));
      return prefix + new Uint8Array(tag).toBase64({ alphabet: "base64url", omitPadding: true });
    },
  };
}
