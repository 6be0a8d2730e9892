import { HmacSha256 } from "../base/hmac.ts";
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
  const macs = new Map<string, HmacSha256>();
  for (const field of fields) {
    const bits = 8 * SUBKEY_BYTES;
    const derived = await crypto.subtle.deriveBits(subkeyDerivation(field, pepper), material, bits);
    const subkey = new Uint8Array(derived);
    macs.set(field, new HmacSha256(subkey));
    subkey.fill(0);
  }
  const prefix = `${key.id}.`;
  const masker: FastMasker = {
    mask(field, canonical) {
      const mac = macs.get(field);
      if (!mac) throw new RangeError(`No mask subkey was derived for the field ${field}`);
      return prefix + mac.digest(canonical, "base64url");
    },
  };
  await assertSameMasks(masker, options);
  return masker;
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
