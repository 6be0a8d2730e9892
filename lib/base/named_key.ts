/** A 256-bit key and the short name by which masks and sealed originals refer to it. */
export interface NamedKey {
  /** A lower-case letter, then up to 15 letters and digits: `k1`, `v2`, `k2026`. */
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Keys of one kind: the first one is used for what is new, the others for what is stored already. */
export type KeyRing = readonly [NamedKey, ...NamedKey[]];

/**
 * Length of every key in bytes: HMAC-SHA-256 needs its output's length (RFC 2104, section 3), and X25519
 * has it.
 */
export const KEY_BYTES = 32;

/** Whether a text has the form of a key's id. */
export function isKeyId(text: string): boolean {
  return /^[a-z][a-z0-9]{0,15}$/.test(text);
}
