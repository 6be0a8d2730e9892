import type { KeyRing, NamedKey } from "../base/named_key.ts";

/** Options of a masker. */
export interface MaskerOptions {
  readonly ring: KeyRing;
  /** The fields that will be masked; each gets a subkey of its own. */
  readonly fields: readonly string[];
  /** A second secret of 256 bits, held apart from the keys. Default none. */
  readonly pepper?: Uint8Array<ArrayBuffer> | undefined;
  /** The id of the key. Default that of the ring's first. */
  readonly keyId?: string;
}

/**
 * The key that a masker is to use.
 *
 * @throws {RangeError} the ring has no key of that id
 */
export function findKey({ ring, keyId = ring[0].id }: MaskerOptions): NamedKey {
  const key = ring.find(({ id }) => id === keyId);
  if (!key) throw new RangeError(`No mask key has the id ${keyId}`);
  return key;
}

/** Whether a text has the form of a mask: a key's id, a dot, and 32 bytes in base64url. */
export function isMask(text: string): boolean {
  return /^[a-z][a-z0-9]{0,15}\.[A-Za-z0-9_-]{43}$/.test(text);
}

/** The id of the key that made a mask. */
export function readKeyId(mask: string): string {
  return mask.slice(0, mask.indexOf("."));
}

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
export async function importMaskKey(key: NamedKey): Promise<CryptoKey> {
  if (key.bytes.length !== 32) {
    throw new RangeError(`Mask key ${key.id} has ${key.bytes.length} bytes, wanted 32`);
  }
  const usages: KeyUsage[] = ["deriveKey", "deriveBits"];
  return await crypto.subtle.importKey("raw", key.bytes, "HKDF", false, usages);
}

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
