/** One mask key. Its id goes in front of every mask that it makes, as in `k1.…`. */
export interface MaskKey {
  readonly id: string;
  /** 256 bits. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The mask keys of a deployment: the first makes new masks, the others made those of before. */
export type KeyRing = readonly [MaskKey, ...MaskKey[]];

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
export function findKey({ ring, keyId = ring[0].id }: MaskerOptions): MaskKey {
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
