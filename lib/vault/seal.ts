import { OperationError } from "../base/errors.ts";
import type { NamedKey } from "../base/named_key.ts";
import { createCipheriv } from "node:crypto";
import { associatedData, type Binding, hpkeInfo, layout, suite } from "./suite.ts";

/** Seals to the vault's public key. It cannot open anything, not even what it sealed itself. */
export interface Sealer {
  readonly keyId: string;
  /** A data key, for the values of one batch. */
  startBatch(): Promise<BatchSealer>;
}

/** Seals the values of one batch under one data key. */
export interface BatchSealer {
  /** The sealed form of `plaintext` (see {@linkcode layout}), tied to `binding`. */
  seal(plaintext: string, binding: Binding): Uint8Array<ArrayBuffer>;
}

/** Options of {@linkcode createSealer}. */
export interface SealerOptions {
  /**
   * For how long batches share a data key, in milliseconds; 0, the default, makes one a batch.
   * Encapsulating one costs as much CPU as sealing a hundred values. A process that is stolen gives away
   * what it sealed within that time; afterwards the key is let go, also where nothing more comes.
   */
  readonly dataKeyMilliseconds?: number;
}

/**
 * How long the batches of a worker, and of a rotation, share a data key, in milliseconds. A guess: what
 * encapsulating costs is then nothing to speak of.
 */
export const DATA_KEY_LIFETIME_MS = 10_000;

/** A data key, encapsulated to the vault's public key. */
interface DataKey {
  readonly raw: Uint8Array;
  /** What every value under it begins with: version, encapsulated key, sealed data key. */
  readonly head: Uint8Array;
}

const utf8 = new TextEncoder();
const TAG_BYTES = 16;

/**
 * Makes the sealer of a vault key.
 *
 * @throws {OperationError} the key is not an X25519 public key
 */
export async function createSealer(
  publicKey: NamedKey,
  { dataKeyMilliseconds = 0 }: SealerOptions = {},
): Promise<Sealer> {
  const recipient = await importPublicKey(publicKey).catch((cause) => {
    throw new OperationError(`Vault public key ${publicKey.id} is not an X25519 key`, { cause });
  });
  const info = hpkeInfo(publicKey.id);
  let current: DataKey | undefined;
  const keep = (key: DataKey): DataKey => {
    if (dataKeyMilliseconds === 0) return key;
    current = key;
    // Let go and not wiped: a batch that has begun may still seal with it.
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
  // A point of low order has the form of a key, and only fails when it is used (RFC 9180 section 7.1.4):
  // better now than with the first batch.
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
 * By the runtime's synchronous AES-256-GCM: Web Crypto, which opens, hops to a thread and back for each
 * value at three times the CPU. 96 random bits a value are the nonce, and a data key lives for seconds:
 * far below the 2³² values after which NIST SP 800-38D section 8.3 wants a new key.
 */
function sealOne(
  dataKey: Uint8Array,
  head: Uint8Array,
  plaintext: string,
  binding: Binding,
): Uint8Array<ArrayBuffer> {
  const nonce = nextNonce();
  const cipher = createCipheriv("aes-256-gcm", dataKey, nonce);
  cipher.setAAD(associatedData(binding));
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
