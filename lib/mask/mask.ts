/**
 * Deterministic pseudonyms of personal values: equal values have equal masks, and without the key no mask can
 * be computed.
 *
 * @module
 */
import type { KeyRing, NamedKey } from "../base/named_key.ts";

/** Options of a masker. */
export interface MaskerOptions {
  readonly ring: KeyRing;
  /** The fields to mask. Each has its own subkey. */
  readonly fields: readonly string[];
  /** A second secret of 256 bits, stored apart from the keys. Default: none. */
  readonly pepper?: Uint8Array<ArrayBuffer> | undefined;
  /** The id of the key. Default: the first key of the ring. */
  readonly keyId?: string;
}

/**
 * Finds the key of a masker.
 *
 * @throws {RangeError} the ring has no key with that id
 */
export function findKey({ ring, keyId = ring[0].id }: MaskerOptions): NamedKey {
  const key = ring.find(({ id }) => id === keyId);
  if (!key) throw new RangeError(`No mask key has the id ${keyId}`);
  return key;
}

/** Checks whether a text has the form of a mask: a key's id, a dot, and 32 bytes in base64url. */
export function isMask(text: string): boolean {
  return /^[a-z][a-z0-9]{0,15}\.[A-Za-z0-9_-]{43}$/.test(text);
}

/** Reads the key id of a mask. */
export function readKeyId(mask: string): string {
  return mask.slice(0, mask.indexOf("."));
}

/** Length of a subkey in bytes: the output of SHA-256, as RFC 2104 section 3 recommends. */
export const SUBKEY_BYTES = 32;

/**
 * Returns the parameters of a field's subkey: HKDF-SHA-256 (RFC 5869) with the info
 * `maskline/mask/v1/<field>`. The pepper, if any, is the salt. HKDF-Extract is HMAC keyed by the salt, so
 * neither the mask key nor the pepper alone reveals anything about a subkey.
 */
export function createSubkeyDerivation(field: string, pepper: Uint8Array<ArrayBuffer>): HkdfParams {
  const info = new TextEncoder().encode(`maskline/mask/v1/${field}`);
  return { name: "HKDF", hash: "SHA-256", salt: pepper, info };
}

/**
 * Imports a mask key for {@linkcode createSubkeyDerivation}.
 *
 * @throws {RangeError} the key does not have 32 bytes
 */
export async function importMaskKey(key: NamedKey): Promise<CryptoKey> {
  if (key.bytes.length !== 32) {
    throw new RangeError(`Mask key ${key.id}: expected 32 bytes, got ${key.bytes.length}`);
  }
  const usages: KeyUsage[] = ["deriveKey", "deriveBits"];
  return await crypto.subtle.importKey("raw", key.bytes, "HKDF", false, usages);
}

const utf8 = new TextEncoder();
const NO_PEPPER = new Uint8Array();

/** Computes the masks of one key. */
export interface Masker {
  /**
   * Computes the mask of a canonical value. A value always has the same mask in one field, and different
   * masks in different fields.
   *
   * @throws {RangeError} the masker was created without this field
   */
  mask(field: string, canonical: string): Promise<string>;
}

/**
 * Creates the masker of one key of the ring and derives one subkey per field:
 *
 * mask = `k1.` + base64url without padding of HMAC-SHA-256(subkey, UTF-8 of the canonical value);
 * subkey = HKDF-SHA-256(mask key, salt = pepper or nothing, info `maskline/mask/v1/<field>`, 32 bytes)
 * (RFC 2104, RFC 5869). The algorithm is frozen: a change would break every join with stored rows.
 *
 * This is the reference implementation. It uses Web Crypto, which keeps the subkeys out of JavaScript's
 * memory. The worker computes the same masks with `fast_mask.ts`.
 *
 * @throws {RangeError} the ring has no key with that id, or the key does not have 32 bytes
 */
export async function createMasker(options: MaskerOptions): Promise<Masker> {
  const { fields, pepper = NO_PEPPER } = options;
  const key = findKey(options);
  const material = await importMaskKey(key);
  const algorithm = { name: "HMAC", hash: "SHA-256", length: 8 * SUBKEY_BYTES };
  const subkeys = new Map<string, CryptoKey>();
  for (const field of fields) {
    const derivation = createSubkeyDerivation(field, pepper);
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
