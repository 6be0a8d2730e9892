const utf8 = new TextEncoder();

/** One mask key. Its id goes in front of every mask that it makes, as in `k1.…`. */
export interface MaskKey {
  readonly id: string;
  /** 256 bits. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The mask keys of a deployment: the first makes new masks, the others made those of before. */
export type KeyRing = readonly [MaskKey, ...MaskKey[]];

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
 * Derives a subkey a field and gives the masker of the ring's first key (or of the one named `keyId`):
 *
 * mask = `k1.` + base64url without padding of HMAC-SHA-256(subkey, UTF-8 of the canonical value);
 * subkey = HKDF-SHA-256(mask key, empty salt, info `maskline/mask/v1/<field>`, 32 bytes)
 * (RFC 2104, RFC 5869). The algorithm is frozen: a change would break every join with stored rows.
 *
 * @throws {RangeError} the ring has no key of that id, or the key is not 32 bytes long
 */
export async function createMasker(
  ring: KeyRing,
  fields: readonly string[],
  keyId: string = ring[0].id,
): Promise<Masker> {
  const key = ring.find(({ id }) => id === keyId);
  if (!key) throw new RangeError(`No mask key has the id ${keyId}`);
  if (key.bytes.length !== 32) {
    throw new RangeError(`Mask key ${keyId} has ${key.bytes.length} bytes, wanted 32`);
  }
  const subkeys = new Map<string, CryptoKey>();
  for (const field of fields) subkeys.set(field, await deriveSubkey(key, field));
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

async function deriveSubkey(key: MaskKey, field: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", key.bytes, "HKDF", false, ["deriveKey"]);
  const info = utf8.encode(`maskline/mask/v1/${field}`);
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
    material,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    // Not extractable: the subkey's bytes never stand in JavaScript memory.
    false,
    ["sign"],
  );
}
