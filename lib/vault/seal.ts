/**
 * Sealing of originals. A worker can seal values but not open them: opening needs the private key, which only
 * the custody commands read (`open.ts`).
 *
 * @module
 */
import { createCipheriv } from "node:crypto";
import { OperationError } from "../base/errors.ts";
import type { NamedKey } from "../base/named_key.ts";
import { type Binding, createHpkeInfo, encodeBinding, layout, suite } from "./suite.ts";

/** Seals values to the vault's public key. It cannot open any value, not even its own. */
export interface Sealer {
  readonly keyId: string;
  /** Starts a batch, whose values share one data key. */
  startBatch(): Promise<BatchSealer>;
}

/** Seals the values of one batch under one data key. */
export interface BatchSealer {
  /** Seals `plaintext` in the form of {@linkcode layout} and binds it to `binding`. */
  seal(plaintext: string, binding: Binding): Uint8Array<ArrayBuffer>;
}

/** Options of {@linkcode createSealer}. */
export interface SealerOptions {
  /**
   * How long batches share a data key, in milliseconds. With 0, the default, each batch has its own.
   * Encapsulating a data key costs as much CPU as sealing a hundred values. An attacker who reads the
   * process memory can open the values of that time. Afterwards the key is dropped, even if no batch
   * follows.
   */
  readonly dataKeyMilliseconds?: number;
}

/**
 * How long the batches of a worker, and of a rotation, share a data key, in milliseconds. Estimate, not
 * measured: the cost of encapsulating is then negligible.
 */
export const DATA_KEY_LIFETIME_MS = 10_000;

/** A data key, encapsulated to the vault's public key. */
interface DataKey {
  readonly raw: Uint8Array;
  /** The first bytes of every value under this key: version, encapsulated key, sealed data key. */
  readonly head: Uint8Array;
}

const utf8 = new TextEncoder();
const TAG_BYTES = 16;

/**
 * Creates the sealer for a vault's public key.
 *
 * @throws {OperationError} the key is not an X25519 public key
 */
export async function createSealer(
  publicKey: NamedKey,
  { dataKeyMilliseconds = 0 }: SealerOptions = {},
): Promise<Sealer> {
  const recipient = await importPublicKey(publicKey).catch((cause) => {
    throw new OperationError(
      `Vault public key ${publicKey.id}: expected an X25519 public key, got another value. ` +
        "Generate a key pair with `maskline keygen`",
      { cause },
    );
  });
  const info = createHpkeInfo(publicKey.id);
  let current: DataKey | undefined;
  const keep = (key: DataKey): DataKey => {
    if (dataKeyMilliseconds === 0) return key;
    current = key;
    // The key is dropped and not wiped, because a started batch may still seal with it.
    const timer = setTimeout(() => {
      if (current === key) current = undefined;
    }, dataKeyMilliseconds);
    Deno.unrefTimer(timer);
    return key;
  };
  return {
    keyId: publicKey.id,
    async startBatch() {
      const { raw, head } = current ?? keep(await generateDataKey(recipient, info));
      return { seal: (plaintext, binding) => sealOne(raw, head, plaintext, binding) };
    },
  };
}

async function importPublicKey({ bytes }: NamedKey): Promise<CryptoKey> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(bytes.slice().buffer);
  // A point of low order is a well-formed key that fails only when it is used (RFC 9180 section 7.1.4).
  // This detects it before the first batch.
  await suite.kem.encap({ recipientPublicKey });
  return recipientPublicKey;
}

async function generateDataKey(
  recipientPublicKey: CryptoKey,
  info: Uint8Array<ArrayBuffer>,
): Promise<DataKey> {
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const { enc, ct } = await suite.seal({ recipientPublicKey, info }, raw.buffer);
  const head = new Uint8Array(layout.nonce.from);
  head[0] = layout.version;
  head.set(new Uint8Array(enc), layout.encapsulated.from);
  head.set(new Uint8Array(ct), layout.dataKey.from);
  return { raw, head };
}

/**
 * Seals one value by the runtime's synchronous AES-256-GCM. Web Crypto, which opens values, switches threads
 * for each value and costs three times the CPU. The nonce is 96 random bits per value. A data key lives for
 * seconds, far below the 2³² values after which NIST SP 800-38D section 8.3 requires a new key.
 */
function sealOne(
  dataKey: Uint8Array,
  head: Uint8Array,
  plaintext: string,
  binding: Binding,
): Uint8Array<ArrayBuffer> {
  const nonce = nextNonce();
  const cipher = createCipheriv("aes-256-gcm", dataKey, nonce);
  cipher.setAAD(encodeBinding(binding));
  const ciphertext = cipher.update(utf8.encode(plaintext));
  cipher.final();
  const sealed = new Uint8Array(layout.ciphertext.from + ciphertext.length + TAG_BYTES);
  sealed.set(head);
  sealed.set(nonce, layout.nonce.from);
  sealed.set(ciphertext, layout.ciphertext.from);
  sealed.set(cipher.getAuthTag(), layout.ciphertext.from + ciphertext.length);
  return sealed;
}

const NONCE_BYTES = layout.nonce.to - layout.nonce.from;

/** Random bytes for many nonces. One system call per nonce would cost a fifth of a seal. */
const pool = new Uint8Array(512 * NONCE_BYTES);
let used = pool.length;

/** Returns 96 random bits that were not returned before. They are valid until the next call. */
function nextNonce(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += NONCE_BYTES;
  return pool.subarray(used - NONCE_BYTES, used);
}
