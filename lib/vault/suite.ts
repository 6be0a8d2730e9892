import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";

/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: suite 0x0020/0x0001/0x0002 of RFC 9180. */
export const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

/** HPKE's `info`: binds an encapsulated data key to its use and to the id of the vault key. */
export function hpkeInfo(keyId: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`maskline/vault/v1/${keyId}`);
}

/**
 * What a sealed value belongs to: a field and its mask, or `rejected` and a message id. It is the
 * associated data of AES-GCM, so a sealed value that was moved to another row does not open.
 */
export interface Binding {
  readonly field: string;
  readonly mask: string;
}

const utf8 = new TextEncoder();

/** The associated data of a binding. A NUL stands between, since neither part can hold one. */
export function associatedData(binding: Binding): Uint8Array<ArrayBuffer> {
  return utf8.encode(`${binding.field}\0${binding.mask}`);
}

/**
 * The layout of a sealed value: one byte of version, the encapsulated key, the data key under it, the
 * nonce, and the AES-256-GCM ciphertext with its tag. Each value carries its own data key, sealed, so
 * that it can be opened, moved and forgotten alone; that costs 80 bytes a value.
 */
export const layout = {
  version: 1,
  encapsulated: { from: 1, to: 33 },
  dataKey: { from: 33, to: 81 },
  nonce: { from: 81, to: 93 },
  ciphertext: { from: 93 },
} as const;

/** Makes a new X25519 key pair for a vault: 32 bytes each half. */
export async function generateVaultKeys(): Promise<
  { publicKey: Uint8Array<ArrayBuffer>; privateKey: Uint8Array<ArrayBuffer> }
> {
  const pair = await suite.kem.generateKeyPair();
  return {
    publicKey: new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey)),
    privateKey: new Uint8Array(await suite.kem.serializePrivateKey(pair.privateKey)),
  };
}
