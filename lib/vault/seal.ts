import { associatedData, type Binding, hpkeInfo, layout, suite, type VaultKey } from "./suite.ts";

/** Seals to the vault's public key. It cannot open anything, not even what it sealed itself. */
export interface Sealer {
  readonly keyId: string;
  /** A fresh data key, for the values of one batch. */
  startBatch(): Promise<BatchSealer>;
}

/** Seals the values of one batch under one data key. */
export interface BatchSealer {
  /** The sealed form of `plaintext` (see {@linkcode layout}), tied to `binding`. */
  seal(plaintext: string, binding: Binding): Promise<Uint8Array>;
}

/**
 * Makes the sealer of a vault key.
 *
 * @throws {RangeError} the key is not an X25519 public key
 */
export async function createSealer(publicKey: VaultKey): Promise<Sealer> {
  const recipientPublicKey = await importPublicKey(publicKey).catch((cause) => {
    throw new RangeError(`Vault public key ${publicKey.id} is not an X25519 key`, { cause });
  });
  const info = hpkeInfo(publicKey.id);
  return {
    keyId: publicKey.id,
    async startBatch() {
      const raw = crypto.getRandomValues(new Uint8Array(32));
      const dataKey = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
      const { enc, ct } = await suite.seal({ recipientPublicKey, info }, raw.buffer);
      raw.fill(0);
      return { seal: (plaintext, binding) => sealOne(dataKey, enc, ct, plaintext, binding) };
    },
  };
}

async function importPublicKey({ bytes }: VaultKey): Promise<CryptoKey> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(bytes.slice().buffer);
  // A point of low order has the form of a key, and only fails when it is used (RFC 9180 section 7.1.4):
  // better now than with the first batch.
  await suite.kem.encap({ recipientPublicKey });
  return recipientPublicKey;
}

async function sealOne(
  dataKey: CryptoKey,
  encapsulated: ArrayBuffer,
  sealedDataKey: ArrayBuffer,
  plaintext: string,
  binding: Binding,
): Promise<Uint8Array> {
  // 96 random bits a value, and a data key lives for one batch: far below the 2³² values after which
  // NIST SP 800-38D section 8.3 wants a new key.
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const ciphertext = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: associatedData(binding) },
    dataKey,
    new TextEncoder().encode(plaintext),
  );
  const sealed = new Uint8Array(layout.ciphertext.from + ciphertext.byteLength);
  sealed[0] = layout.version;
  sealed.set(new Uint8Array(encapsulated), layout.encapsulated.from);
  sealed.set(new Uint8Array(sealedDataKey), layout.dataKey.from);
  sealed.set(iv, layout.nonce.from);
  sealed.set(new Uint8Array(ciphertext), layout.ciphertext.from);
  return sealed;
}
