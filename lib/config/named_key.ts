import { findWeakness } from "./key_weakness.ts";

/** A 256-bit key and the short name by which masks and sealed originals refer to it. */
export interface NamedKey {
  /** A lower-case letter, then up to 15 letters and digits: `k1`, `v2`, `k2026`. */
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Length of every key in bytes: HMAC-SHA-256 wants its output's length (RFC 2104 section 3), X25519 has it. */
export const KEY_BYTES = 32;

const EXPECTED_FORM = "wanted <id>:<base64 of 32 bytes>, a line that `maskline keygen` prints";

/**
 * Reads `id:base64`, several with commas between where `atMost` allows it. Both base64 alphabets are
 * taken. Messages name a key's position and id, never its text: it is a secret.
 *
 * @throws {RangeError} a key is malformed, short, long, named twice, or easy to guess
 */
export function parseNamedKeys(text: string, atMost = 1): [NamedKey, ...NamedKey[]] {
  const parts = text.split(",");
  if (parts.length > atMost) {
    throw new RangeError(`${parts.length} keys are there, wanted at most ${atMost}`);
  }
  const [first, ...others] = parts.map((part, index) => parseKey(part.trim(), index + 1));
  if (!first) throw new RangeError(`No key is there; ${EXPECTED_FORM}`);
  const ids = [first, ...others].map((key) => key.id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated) throw new RangeError(`Two keys have the id ${repeated}, wanted each id once`);
  return [first, ...others];
}

function parseKey(text: string, position: number): NamedKey {
  const [, id, encoded] = /^([a-z][a-z0-9]{0,15}):(.+)$/.exec(text) ?? [];
  if (!id || !encoded) throw new RangeError(`Key ${position} has another form; ${EXPECTED_FORM}`);
  const bytes = decodeBase64(encoded);
  if (!bytes) throw new RangeError(`Key ${position} (${id}) is not base64; ${EXPECTED_FORM}`);
  if (bytes.length !== KEY_BYTES) {
    throw new RangeError(`Key ${position} (${id}) has ${bytes.length} bytes; ${EXPECTED_FORM}`);
  }
  const weakness = findWeakness(bytes);
  if (weakness) throw new RangeError(`Key ${position} (${id}) ${weakness}; ${EXPECTED_FORM}`);
  return { id, bytes };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const alphabet = /[-_]/.test(text) ? "base64url" : "base64";
  try {
    return Uint8Array.fromBase64(text, { alphabet });
  } catch {
    return null;
  }
}
