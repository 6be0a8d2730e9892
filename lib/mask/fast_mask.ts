import { hash } from "node:crypto";
import {
  createMasker,
  findKey,
  importMaskKey,
  type MaskerOptions,
  SUBKEY_BYTES,
  subkeyDerivation,
} from "./mask.ts";

/** Makes the masks of one key without waiting. */
export interface FastMasker {
  /**
   * The same mask as {@linkcode createMasker}'s.
   *
   * @throws {RangeError} the masker was made without this field
   */
  mask(field: string, canonical: string): string;
}

/** SHA-256 works on blocks of this many bytes, and HMAC pads its key to one (RFC 2104 section 2). */
const BLOCK = 64;
/** Values up to this many bytes of UTF-8 fit the buffer that is kept: 256 characters do. */
const VALUE_BYTES = 1024;

const utf8 = new TextEncoder();

/**
 * Makes the masks of {@linkcode createMasker} with two calls of the runtime's one-shot SHA-256 over
 * HMAC's padded keys, which are computed once. Web Crypto's HMAC hops to a thread and back for every
 * value, at several times the CPU (the README's figures say how much). The price: the padded subkeys
 * stand in JavaScript's memory, which `SECURITY.md` counts among what a stolen process gives away.
 *
 * @throws {RangeError} as {@linkcode createMasker}
 * @throws {Error} the runtime's hash gives other masks than Web Crypto: nothing may be stored then
 */
export async function createFastMasker(options: MaskerOptions): Promise<FastMasker> {
  const key = findKey(options);
  const material = await importMaskKey(key);
  const { fields, pepper = new Uint8Array() } = options;
  const macs = new Map<string, (canonical: string) => string>();
  for (const field of fields) {
    const bits = 8 * SUBKEY_BYTES;
    const derived = await crypto.subtle.deriveBits(subkeyDerivation(field, pepper), material, bits);
    const subkey = new Uint8Array(derived);
    macs.set(field, hmacSha256(subkey));
    subkey.fill(0);
  }
  const prefix = `${key.id}.`;
  const masker: FastMasker = {
    mask(field, canonical) {
      const mac = macs.get(field);
      if (!mac) throw new RangeError(`No mask subkey was derived for the field ${field}`);
      return prefix + mac(canonical);
    },
  };
  await assertSameMasks(masker, options);
  return masker;
}

/** HMAC-SHA-256 of a text's UTF-8 under one key, in base64url without padding. */
function hmacSha256(key: Uint8Array): (text: string) => string {
  const inner = new Uint8Array(BLOCK + VALUE_BYTES).fill(0x36, 0, BLOCK);
  const outer = new Uint8Array(BLOCK + SUBKEY_BYTES).fill(0x5c, 0, BLOCK);
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ 0x36;
    outer[index] = byte ^ 0x5c;
  }
  const value = inner.subarray(BLOCK);
  const digest = outer.subarray(BLOCK);
  return (text) => {
    // Digits, since a digest as bytes would be a new Buffer each time.
    digest.setFromHex(hash("sha256", writeMessage(text, inner, value), "hex"));
    return hash("sha256", outer, "base64url");
  };
}

/** The padded key and the text behind it; in the memory of `inner` where it fits, as it nearly always does. */
function writeMessage(text: string, inner: Uint8Array, value: Uint8Array): Uint8Array {
  const ascii = writeAscii(text, value);
  if (ascii) return inner.subarray(0, BLOCK + text.length);
  const { read, written } = utf8.encodeInto(text, value);
  if (read === text.length) return inner.subarray(0, BLOCK + written);
  const encoded = utf8.encode(text);
  const message = new Uint8Array(BLOCK + encoded.length);
  message.set(inner.subarray(0, BLOCK));
  message.set(encoded, BLOCK);
  return message;
}

/** Writes a text where it is short and plain ASCII, as addresses are: a call into the runtime costs more. */
function writeAscii(text: string, bytes: Uint8Array): boolean {
  if (text.length > 64) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    bytes[index] = code;
  }
  return true;
}

/** Once a start: masks that differ would silently split every group of rows. */
async function assertSameMasks(masker: FastMasker, options: MaskerOptions): Promise<void> {
  const reference = await createMasker(options);
  for (const field of options.fields) {
    if (masker.mask(field, "probe") !== await reference.mask(field, "probe")) {
      throw new Error(
        `The runtime's SHA-256 does not give Web Crypto's masks in the field ${field}`,
      );
    }
  }
}
