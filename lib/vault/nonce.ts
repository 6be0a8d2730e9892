import { layout } from "./suite.ts";

const NONCE_BYTES = layout.nonce.to - layout.nonce.from;

/** Random bytes for many nonces: asking the system for twelve at a time costs a fifth of a seal. */
const pool = new Uint8Array(512 * NONCE_BYTES);
let used = pool.length;

/** 96 random bits that were never given out before; they stay as they are until the next call. */
export function nextNonce(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += NONCE_BYTES;
  return pool.subarray(used - NONCE_BYTES, used);
}
