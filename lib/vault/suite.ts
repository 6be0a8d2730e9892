import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";

/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: suite 0x0020/0x0001/0x0002 of RFC 9180. */
export const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

/** Returns HPKE's `info`, which binds a data key to its use and to the id of the vault key. */
export function createHpkeInfo(keyId: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`maskline/vault/v1/${keyId}`);
}

/**
 * The owner of a sealed value: a field and its mask, or `rejected` and a message id. It is the associated
 * data of AES-GCM, so a sealed value that was moved to another row cannot be opened.
 */
export interface Binding {
  readonly field: string;
  readonly mask: string;
}

/** Returns the binding of a rejected body. The body opens only together with the id of its message. */
export function bindRejectedBody(messageId: string): Binding {
  return { field: "rejected", mask: messageId };
}

const utf8 = new TextEncoder();

/** Encodes a binding as associated data. NUL separates the parts, because neither can contain it. */
export function encodeBinding(binding: Binding): Uint8Array<ArrayBuffer> {
  return utf8.encode(`${binding.field}\0${binding.mask}`);
}

/**
 * The layout of a sealed value: one version byte, the encapsulated key, the data key under it, the nonce,
 * and the AES-256-GCM ciphertext with its tag. Each value contains its sealed data key, so that it can be
 * opened, moved and forgotten on its own. This costs 80 bytes per value.
 */
export const layout = {
  version: 1,
  encapsulated: { from: 1, to: 33 },
  dataKey: { from: 33, to: 81 },
  nonce: { from: 81, to: 93 },
  ciphertext: { from: 93 },
} as const;

/** Generates an X25519 key pair for a vault. Each key has 32 bytes. */
export async function generateVaultKeys(): Promise<
  { publicKey: Uint8Array<ArrayBuffer>; privateKey: Uint8Array<ArrayBuffer> }
> {
  const pair = await suite.kem.generateKeyPair();
  return {
    publicKey: new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey)),
    privateKey: new Uint8Array(await suite.kem.serializePrivateKey(pair.privateKey)),
  };
}
