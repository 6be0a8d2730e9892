import { ok, rejects, strictEqual } from "node:assert";
import { inspect } from "node:util";
import { OpenError } from "../../lib/vault/open.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { openByHand } from "../support/open_by_hand.ts";
import { open } from "../support/open_sealed.ts";

const PLAINTEXT = "zq7-the-original-zq7";
const binding = { field: "ip", mask: "k1.mask" };
const keys = await generateVaultKeys();
const privateKey = { id: "v1", bytes: keys.privateKey };
const batch = await (await createSealer({ id: "v1", bytes: keys.publicKey })).startBatch();
const sealed = Uint8Array.from(await batch.seal(PLAINTEXT, binding));

/** Expects an OpenError that contains no part of the value, and neither does its cause. */
async function refuses(
  bytes: Uint8Array<ArrayBuffer>,
  message: RegExp,
  key = privateKey,
  at = binding,
): Promise<void> {
  await rejects(() => open(key, bytes, at), (error) => {
    ok(error instanceof OpenError);
    ok(message.test(error.message), error.message);
    ok(!inspect(error, { depth: 9 }).includes("zq7"));
    return true;
  });
}

function withFlipped(at: number): Uint8Array<ArrayBuffer> {
  const bytes = sealed.slice();
  bytes.set([(bytes.at(at) ?? 0) ^ 1], at < 0 ? bytes.length + at : at);
  return bytes;
}

/**
 * Sealed once by version 0.1, and opened then with python's `cryptography` too. Values that are stored
 * for years must open, so the code must change and never these literals.
 */
const frozen = {
  key: {
    id: "v1",
    bytes: Uint8Array.fromHex("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
  },
  binding: { field: "device_id", mask: "k1.frozen" },
  plaintext: "Zoë’s iPhone 📱",
  sealed: Uint8Array.fromHex(
    "011eb7d15a2d674ab6a354fac6c4eff1eea989b35314a95f1142c24be5833d4335651376fc25083bd71a5868" +
      "b32ef5aed351ec7b4c9675d6279ea47bbc5e229ac88817641ef5953ba5cdb5c026230e8ec5f02fee71c37e6d" +
      "2a0472e520bcc3ad4e8a461b29fb3561d769f6c4b71548203ef3d1be050b59a3a07c10a0b53db9b225",
  ),
};

Deno.test("open() opens a value that was sealed long ago", async () => {
  strictEqual(await open(frozen.key, frozen.sealed, frozen.binding), frozen.plaintext);
});

Deno.test("openByHand() opens a value that was sealed long ago", () => {
  const { key, plaintext } = frozen;
  strictEqual(openByHand(key.bytes, key.id, frozen.sealed, frozen.binding), plaintext);
});

Deno.test("open() throws when another key sealed the value", async () => {
  const { privateKey: bytes } = await generateVaultKeys();
  await refuses(sealed, /^The vault key v1 does not open/, { id: "v1", bytes });
});

Deno.test("open() throws when the key has another id than the key that sealed the value", async () => {
  await refuses(sealed, /^The vault key v2 does not open/, { ...privateKey, id: "v2" });
});

Deno.test("open() throws when the key is not an X25519 key", async () => {
  const bytes = keys.privateKey.slice(1);
  await refuses(sealed, /^The vault key v1 does not open/, { id: "v1", bytes });
});

Deno.test("open() throws when the value belongs to another field", async () => {
  await refuses(sealed, /another field or mask/, privateKey, { ...binding, field: "device_id" });
});

Deno.test("open() throws when the value belongs to another mask", async () => {
  await refuses(sealed, /another field or mask/, privateKey, { ...binding, mask: "k1.other" });
});

Deno.test("open() throws when a letter is moved from the field to the mask", async () => {
  await refuses(sealed, /another field or mask/, privateKey, { field: "i", mask: "pk1.mask" });
});

const regions: readonly [name: string, at: number, message: RegExp][] = [
  ["the version", 0, /another layout/],
  ["the first of the encapsulated key", 1, /does not open/],
  ["the last of the encapsulated key", 32, /does not open/],
  ["the first of the data key", 33, /does not open/],
  ["the last of the data key's tag", 80, /does not open/],
  ["the first of the nonce", 81, /was changed/],
  ["the last of the nonce", 92, /was changed/],
  ["the first of the ciphertext", 93, /was changed/],
  ["the last of the ciphertext", -17, /was changed/],
  ["the first of the tag", -16, /was changed/],
  ["the last of the tag", -1, /was changed/],
];
for (const [name, at, message] of regions) {
  Deno.test(`open() throws when the flipped byte is ${name}`, async () => {
    await refuses(withFlipped(at), message);
  });
}

Deno.test("open() throws when the one bit that X25519 itself ignores is flipped", async () => {
  const bytes = sealed.slice();
  bytes.set([(bytes[32] ?? 0) ^ 0x80], 32);
  await refuses(bytes, /does not open/);
});

Deno.test("open() throws when any single byte is flipped", async () => {
  for (let at = 0; at < sealed.length; at++) await refuses(withFlipped(at), /./);
});

Deno.test("open() throws when the value is too short for the layout", async () => {
  for (const length of [0, 1, 33, 81, 93, 108]) {
    await refuses(sealed.slice(0, length), /another layout, expected version 1$/);
  }
});

Deno.test("open() throws when the value is truncated or has extra bytes", async () => {
  await refuses(sealed.slice(0, -1), /was changed/);
  await refuses(Uint8Array.of(...sealed, 0), /was changed/);
});

Deno.test("open() throws when two values of a batch are combined", async () => {
  const other = Uint8Array.from(await batch.seal(PLAINTEXT, binding));
  await refuses(Uint8Array.of(...sealed.slice(0, 93), ...other.slice(93)), /was changed/);
});

Deno.test("open() reads the value and the key when they are views", async () => {
  const around = (bytes: Uint8Array) => {
    const larger = new Uint8Array(bytes.length + 16);
    larger.set(bytes, 8);
    return larger.subarray(8, 8 + bytes.length);
  };
  const key = { id: "v1", bytes: around(keys.privateKey) };
  strictEqual(await open(key, around(sealed), binding), PLAINTEXT);
});
