import { OperationError } from "../base/errors.ts";
import { HmacSha256 } from "../base/hmac.ts";
import {
  createMasker,
  createSubkeyDerivation,
  findKey,
  importMaskKey,
  type MaskerOptions,
  SUBKEY_BYTES,
} from "./mask.ts";

/** Computes the masks of one key synchronously. */
export interface FastMasker {
  /**
   * Computes the same mask as {@linkcode createMasker}.
   *
   * @throws {RangeError} the masker was created without this field
   */
  mask(field: string, canonical: string): string;
}

/**
 * Creates a masker with the masks of {@linkcode createMasker}. It calls the runtime's one-shot SHA-256 twice
 * over HMAC's padded keys, which are computed once. Web Crypto's HMAC switches threads for every value and
 * costs several times the CPU (figures in `docs/performance.md`). The drawback is that the padded subkeys are in
 * JavaScript's memory. `SECURITY.md` lists them among the secrets of a compromised process.
 *
 * @throws {RangeError} as {@linkcode createMasker}
 * @throws {OperationError} the runtime's hash computes other masks than Web Crypto, so no row may be stored
 */
export async function createFastMasker(options: MaskerOptions): Promise<FastMasker> {
  const key = findKey(options);
  const material = await importMaskKey(key);
  const { fields, pepper = new Uint8Array() } = options;
  const macs = new Map<string, HmacSha256>();
  for (const field of fields) {
    const bits = 8 * SUBKEY_BYTES;
    const derived = await crypto.subtle.deriveBits(
      createSubkeyDerivation(field, pepper),
      material,
      bits,
    );
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

/** Compares the masks once per start. Different masks would silently split every group of rows. */
async function assertSameMasks(masker: FastMasker, options: MaskerOptions): Promise<void> {
  const reference = await createMasker(options);
  for (const field of options.fields) {
    if (masker.mask(field, "probe") !== await reference.mask(field, "probe")) {
      throw new OperationError(
        `Field ${field}: expected the mask that Web Crypto computes, got another one from the ` +
          "runtime's SHA-256. Use another version of the runtime",
      );
    }
  }
}
