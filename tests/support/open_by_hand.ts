import { Buffer } from "node:buffer";
import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from "node:crypto";

/**
 * Opens a sealed value with node:crypto alone: a second implementation of HPKE's base mode (RFC
 * 9180) and of the layout, written from the specifications and from nothing in lib/vault/.
 */
export function openByHand(
  privateKey: Uint8Array,
  keyId: string,
  sealed: Uint8Array,
  binding: { field: string; mask: string },
): string {
  const dataKey = dataKeyByHand(privateKey, keyId, sealed);
  const aad = utf8(`${binding.field}\0${binding.mask}`);
  return decrypt(dataKey, sealed.subarray(81, 93), sealed.subarray(93), aad).toString("utf8");
}

/** Opens the data key of the batch in which the value was sealed. */
export function dataKeyByHand(privateKey: Uint8Array, keyId: string, sealed: Uint8Array): Buffer {
  const shared = decapsulate(privateKey, sealed.subarray(1, 33));
  const { key, nonce } = keySchedule(shared, utf8(`maskline/vault/v1/${keyId}`));
  return decrypt(key, nonce, sealed.subarray(33, 81), utf8(""));
}

/** Returns the public half of an X25519 private key. */
export function publicHalf(privateKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const { x = "" } = createPublicKey(privateKeyOf(privateKey)).export({ format: "jwk" });
  return Uint8Array.fromBase64(x, { alphabet: "base64url" });
}

function utf8(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

// DHKEM(X25519, HKDF-SHA256) is 0x0020, HKDF-SHA256 is 0x0001, AES-256-GCM is 0x0002 (section 7).
const KEM_SUITE = Buffer.from([0x4b, 0x45, 0x4d, 0x00, 0x20]); // "KEM", I2OSP(kem_id, 2)
const HPKE_SUITE = Buffer.concat([utf8("HPKE"), Buffer.from([0, 0x20, 0, 1, 0, 2])]);

/** DER of RFC 8410 in front of the 32 bytes of a key. */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI = Buffer.from("302a300506032b656e032100", "hex");

function privateKeyOf(bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, bytes]), format: "der", type: "pkcs8" });
}

/** `Decap()` of section 4.1. */
function decapsulate(privateKey: Uint8Array, encapsulated: Uint8Array): Buffer {
  const publicKey = createPublicKey({
    key: Buffer.concat([SPKI, encapsulated]),
    format: "der",
    type: "spki",
  });
  const dh = diffieHellman({ privateKey: privateKeyOf(privateKey), publicKey });
  const context = Buffer.concat([encapsulated, publicHalf(privateKey)]);
  const prk = labeledExtract(KEM_SUITE, Buffer.alloc(0), "eae_prk", dh);
  return labeledExpand(KEM_SUITE, prk, "shared_secret", context, 32);
}

/** `KeySchedule()` of section 5.1 in the base mode, which has neither a PSK nor its id. */
function keySchedule(shared: Buffer, info: Buffer): { key: Buffer; nonce: Buffer } {
  const none = Buffer.alloc(0);
  const context = Buffer.concat([
    Buffer.from([0]),
    labeledExtract(HPKE_SUITE, none, "psk_id_hash", none),
    labeledExtract(HPKE_SUITE, none, "info_hash", info),
  ]);
  const secret = labeledExtract(HPKE_SUITE, shared, "secret", none);
  return {
    key: labeledExpand(HPKE_SUITE, secret, "key", context, 32),
    // The first message's nonce is the base nonce: its sequence number is 0 (section 5.2).
    nonce: labeledExpand(HPKE_SUITE, secret, "base_nonce", context, 12),
  };
}

function labeledExtract(suite: Buffer, salt: Buffer, label: string, ikm: Buffer): Buffer {
  const labeled = Buffer.concat([utf8("HPKE-v1"), suite, utf8(label), ikm]);
  return createHmac("sha256", salt).update(labeled).digest();
}

function labeledExpand(
  suite: Buffer,
  prk: Buffer,
  label: string,
  info: Buffer,
  length: number,
): Buffer {
  const parts = [Buffer.from([0, length]), utf8("HPKE-v1"), suite, utf8(label), info];
  // One block of HKDF-Expand is enough: no length here is above 32.
  const block = Buffer.concat([...parts, Buffer.from([1])]);
  return createHmac("sha256", prk).update(block).digest().subarray(0, length);
}

function decrypt(key: Buffer, nonce: Uint8Array, sealed: Uint8Array, aad: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}
