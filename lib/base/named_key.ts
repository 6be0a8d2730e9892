/** A 256-bit key and its id, by which masks and sealed originals refer to it. */
export interface NamedKey {
  /** A lower-case letter, then up to 15 letters and digits: `k1`, `v2`, `k2026`. */
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Keys of one kind. The first key is for new values, the others are for stored values. */
export type KeyRing = readonly [NamedKey, ...NamedKey[]];

/**
 * Length of every key in bytes. HMAC-SHA-256 needs the length of its output (RFC 2104, section 3), and
 * X25519 keys have the same length.
 */
export const KEY_BYTES = 32;

/** Checks whether a text has the form of a key id. */
export function isKeyId(text: string): boolean {
  return /^[a-z][a-z0-9]{0,15}$/.test(text);
}
