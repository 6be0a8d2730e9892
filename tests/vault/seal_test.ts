import fc from "fast-check";
import { deepStrictEqual, notDeepStrictEqual, rejects, strictEqual } from "node:assert";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys, layout } from "../../lib/vault/suite.ts";
import { dataKeyByHand, openByHand, publicHalf } from "../support/open_by_hand.ts";
import { open } from "../support/open_sealed.ts";

const keys = await generateVaultKeys();
const publicKey = { id: "v1", bytes: keys.publicKey };
const privateKey = { id: "v1", bytes: keys.privateKey };
const sealer = await createSealer(publicKey);
const binding = { field: "ip", mask: "k1.mask" };

async function sealAlone(plaintext: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await (await sealer.startBatch()).seal(plaintext, binding));
}

const plaintexts = {
  "is short": "203.0.113.7",
  "is empty": "",
  "has letters beyond ASCII": "Zoë’s iPhone 📱",
  "has a NUL": "a\0b",
  "begins with a byte order mark": "\ufeff{}",
  "is 1 MiB": "x".repeat(1024 * 1024),
};
for (const [what, plaintext] of Object.entries(plaintexts)) {
  Deno.test(`open() returns the value when it ${what}`, async () => {
    strictEqual(await open(privateKey, await sealAlone(plaintext), binding), plaintext);
  });
  Deno.test(`seal() creates what an independent RFC 9180 implementation opens when the value ${what}`, async () => {
    const sealed = await sealAlone(plaintext);
    strictEqual(openByHand(keys.privateKey, "v1", sealed, binding), plaintext);
  });
}

Deno.test("seal() creates what an independent RFC 9180 implementation opens when value and binding are any", async () => {
  const batch = await sealer.startBatch();
  const text = fc.string({ unit: "grapheme" });
  await fc.assert(
    fc.asyncProperty(text, text, text, async (plaintext, field, mask) => {
      const sealed = await batch.seal(plaintext, { field, mask });
      strictEqual(openByHand(keys.privateKey, "v1", sealed, { field, mask }), plaintext);
    }),
    { numRuns: 50 },
  );
});

Deno.test("seal() adds the layout's 93 bytes and a tag to the UTF-8 of the value", async () => {
  strictEqual((await sealAlone("")).length, 93 + 16);
  strictEqual((await sealAlone("ë")).length, 93 + 2 + 16);
  strictEqual((await sealAlone("ë"))[0], 1);
});

Deno.test("seal() creates another ciphertext when it seals the same value twice", async () => {
  const batch = await sealer.startBatch();
  const one = await batch.seal("same", binding);
  const other = await batch.seal("same", binding);
  const { nonce, ciphertext } = layout;
  notDeepStrictEqual(one.slice(nonce.from, nonce.to), other.slice(nonce.from, nonce.to));
  notDeepStrictEqual(one.slice(ciphertext.from), other.slice(ciphertext.from));
});

Deno.test("startBatch() encapsulates one key for all values of a batch", async () => {
  const batch = await sealer.startBatch();
  const one = await batch.seal("one", binding);
  const other = await batch.seal("other", { field: "device_id", mask: "k1.other" });
  const { encapsulated, dataKey } = layout;
  deepStrictEqual(
    one.slice(encapsulated.from, dataKey.to),
    other.slice(encapsulated.from, dataKey.to),
  );
});

Deno.test("startBatch() encapsulates another key when another batch starts", async () => {
  const [one, other] = [await sealAlone("same"), await sealAlone("same")];
  const { encapsulated, dataKey } = layout;
  notDeepStrictEqual(
    one.slice(encapsulated.from, encapsulated.to),
    other.slice(encapsulated.from, encapsulated.to),
  );
  notDeepStrictEqual(
    one.slice(dataKey.from, dataKey.to),
    other.slice(dataKey.from, dataKey.to),
  );
});

Deno.test("startBatch() generates another data key of 32 bytes when another batch starts", async () => {
  const one = dataKeyByHand(keys.privateKey, "v1", await sealAlone("same"));
  const other = dataKeyByHand(keys.privateKey, "v1", await sealAlone("same"));
  deepStrictEqual([one.length, other.length], [32, 32]);
  notDeepStrictEqual(one, other);
});

Deno.test("startBatch() shares a data key for the given time, and then drops it by a timer", async () => {
  const real = globalThis.setTimeout;
  const rings: [ring: () => void, milliseconds: number | undefined][] = [];
  globalThis.setTimeout = ((ring: () => void, milliseconds?: number) => {
    rings.push([ring, milliseconds]);
    return 0;
  }) as unknown as typeof setTimeout;
  try {
    const sharing = await createSealer(publicKey, { dataKeyMilliseconds: 10_000 });
    const dataKey = async () => {
      const sealed = (await sharing.startBatch()).seal("same", binding);
      return sealed.slice(layout.encapsulated.from, layout.dataKey.to);
    };
    const first = await dataKey();
    deepStrictEqual(await dataKey(), first);
    deepStrictEqual(rings.map(([, milliseconds]) => milliseconds), [10_000]);
    rings[0]?.[0]();
    notDeepStrictEqual(await dataKey(), first);
  } finally {
    globalThis.setTimeout = real;
  }
});

Deno.test("createSealer() returns a sealer with the id of its key", () => {
  strictEqual(sealer.keyId, "v1");
});

Deno.test("createSealer() reads the key when it is a view of a larger buffer", async () => {
  const bytes = new Uint8Array(64);
  bytes.set(keys.publicKey, 16);
  const batch = await (await createSealer({ id: "v1", bytes: bytes.subarray(16, 48) }))
    .startBatch();
  const sealed = await batch.seal("value", binding);
  strictEqual(openByHand(keys.privateKey, "v1", sealed, binding), "value");
});

for (const length of [0, 31, 33, 64]) {
  Deno.test(`createSealer() throws when the key has ${length} bytes`, async () => {
    await rejects(() => createSealer({ id: "v3", bytes: new Uint8Array(length).fill(7) }), {
      name: "OperationError",
      message: /^Vault public key v3: expected an X25519 public key/,
    });
  });
}

// With a point of low order the shared secret is zero for all senders (RFC 7748 section 6.1).
const lowOrder = {
  "0": "0000000000000000000000000000000000000000000000000000000000000000",
  "1": "0100000000000000000000000000000000000000000000000000000000000000",
  "a point of order 8": "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "another point of order 8": "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
};
for (const [what, hex] of Object.entries(lowOrder)) {
  Deno.test(`createSealer() throws when the key is ${what}`, async () => {
    await rejects(() => createSealer({ id: "v3", bytes: Uint8Array.fromHex(hex) }), {
      name: "OperationError",
      message: /^Vault public key v3: expected an X25519 public key/,
    });
  });
}

Deno.test("generateVaultKeys() generates two halves of 32 bytes that belong together", () => {
  deepStrictEqual([keys.publicKey.length, keys.privateKey.length], [32, 32]);
  deepStrictEqual(publicHalf(keys.privateKey), keys.publicKey);
});

Deno.test("generateVaultKeys() generates other keys when it is called again", async () => {
  const again = await generateVaultKeys();
  notDeepStrictEqual(again.privateKey, keys.privateKey);
  notDeepStrictEqual(again.publicKey, keys.publicKey);
});
