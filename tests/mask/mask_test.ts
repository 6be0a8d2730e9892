import fc from "fast-check";
import { match, notStrictEqual, rejects, strictEqual } from "node:assert";
import { createHmac, hkdfSync } from "node:crypto";
import type { NamedKey } from "../../lib/base/named_key.ts";
import { createMasker } from "../../lib/mask/mask.ts";

const k1: NamedKey = {
  id: "k1",
  bytes: Uint8Array.fromHex("8f4c1db0a37e52669ed30b17c5f8214a6be0d59c3387f21054dea96b7c0812fd"),
};
/** Differs from the first in its last bit. */
const k2: NamedKey = {
  id: "k2",
  bytes: Uint8Array.fromHex("8f4c1db0a37e52669ed30b17c5f8214a6be0d59c3387f21054dea96b7c0812fc"),
};
const fields = ["ip", "device_id"];

/**
 * Frozen: computed once with python3's `hmac`. A change of one of them would break every join with
 * rows that are already stored, so the code must change and never this table.
 */
const vectors: readonly [field: string, value: string, mask: string][] = [
  ["ip", "203.0.113.7", "k1.1xJdEry5G6lKPdLqenhRvI-YbKqSYq8vtUfTGKKlw-4"],
  ["ip", "2001:db8::1", "k1.hSQkTU4w-geRnTeutStsCKZeVc39bOT1TLj-9JAKp24"],
  ["ip", "", "k1.Oe8MA8XBdxsrWWpqKyh_ODoI4-OnkwUW3kNa3Tpw0ns"],
  ["device_id", "203.0.113.7", "k1.rFnbdgzimTLrueqWJXnirMTnO9N0RiQgDKvrVvrQT2k"],
  [
    "device_id",
    "a3f1c2d4-5b6e-4789-9abc-def012345678",
    "k1.2pdblJ1mDKRBd0MSgifLX5gM8_72M8wQhpI6jg1EEUI",
  ],
  ["device_id", "Zoë’s iPhone 📱", "k1.U0FZY_ZLq_iD2QI3xtg2Dh10O6l-gAnb2bQIrVLNq7c"],
  ["device_id", "デバイス-42", "k1.hXhPFmt6Kobh10JOs0YIFA-Iw8TNCPZ91LNK70taopw"],
  ["device_id", "x".repeat(256), "k1.HwP2B-n9NlpfMODP8EOu5kV_1eFkDs0o42ANT1kW8gk"],
];

/** Computes a mask by the same algorithm in another implementation. */
function maskByNode(key: NamedKey, field: string, value: string): string {
  const info = `maskline/mask/v1/${field}`;
  const subkey = new Uint8Array(hkdfSync("sha256", key.bytes, "", info, 32));
  return `${key.id}.${createHmac("sha256", subkey).update(value, "utf8").digest("base64url")}`;
}

for (const [field, value, mask] of vectors) {
  const short = value.length > 40 ? `${value.length} letters` : JSON.stringify(value);
  Deno.test(`mask() returns the frozen mask when the ${field} is ${short}`, async () => {
    const masker = await createMasker({ ring: [k1], fields });
    strictEqual(await masker.mask(field, value), mask);
  });
  Deno.test(`node:crypto returns the frozen mask when the ${field} is ${short}`, () => {
    strictEqual(maskByNode(k1, field, value), mask);
  });
}

const anyText = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.ipV4());

Deno.test("mask() equals node:crypto's computation when key, field and value are any", async () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.string({ minLength: 1 }), anyText, async (key, field, value) => {
      const own = { id: "k9", bytes: Uint8Array.from(key) };
      const masker = await createMasker({ ring: [own], fields: [field] });
      strictEqual(await masker.mask(field, value), maskByNode(own, field, value));
    }),
    { numRuns: 500 },
  );
});

Deno.test("mask() has one format when the value is any", async () => {
  const masker = await createMasker({ ring: [k1], fields });
  await fc.assert(fc.asyncProperty(fc.constantFrom(...fields), anyText, async (field, value) => {
    match(await masker.mask(field, value), /^k1\.[A-Za-z0-9_-]{43}$/);
  }));
});

Deno.test("mask() returns the same mask when the value is repeated", async () => {
  const one = await createMasker({ ring: [k1], fields });
  const other = await createMasker({ ring: [k1], fields: ["ip"] });
  const mask = await one.mask("ip", "203.0.113.7");
  strictEqual(await one.mask("ip", "203.0.113.7"), mask);
  strictEqual(await other.mask("ip", "203.0.113.7"), mask);
});

Deno.test("mask() returns two masks when two fields have the same value", async () => {
  const masker = await createMasker({ ring: [k1], fields });
  notStrictEqual(await masker.mask("ip", "same"), await masker.mask("device_id", "same"));
});

Deno.test("mask() returns two masks when two values differ", async () => {
  const masker = await createMasker({ ring: [k1], fields });
  await fc.assert(fc.asyncProperty(fc.ipV4(), fc.ipV4(), async (one, other) => {
    fc.pre(one !== other);
    notStrictEqual(await masker.mask("ip", one), await masker.mask("ip", other));
  }));
});

Deno.test("mask() returns two masks when two keys differ in one bit", async () => {
  const [one, other] = [
    await createMasker({ ring: [k1], fields }),
    await createMasker({ ring: [k2], fields }),
  ];
  const tail = (mask: string) => mask.slice("k1.".length);
  notStrictEqual(tail(await one.mask("ip", "::1")), tail(await other.mask("ip", "::1")));
});

Deno.test("createMasker() uses the first key of a ring when no key id is given", async () => {
  const masker = await createMasker({ ring: [k2, k1], fields });
  strictEqual(await masker.mask("ip", "::1"), maskByNode(k2, "ip", "::1"));
});

Deno.test("createMasker() uses a later key of a ring when its id is given", async () => {
  const masker = await createMasker({ ring: [k2, k1], fields, keyId: "k1" });
  strictEqual(await masker.mask("ip", "::1"), maskByNode(k1, "ip", "::1"));
});

Deno.test("createMasker() keeps its key when the caller overwrites the bytes", async () => {
  const bytes = k1.bytes.slice();
  const masker = await createMasker({ ring: [{ id: "k1", bytes }], fields });
  bytes.fill(0);
  strictEqual(await masker.mask("ip", "::1"), maskByNode(k1, "ip", "::1"));
});

for (const length of [0, 16, 31, 33, 64]) {
  Deno.test(`createMasker() throws when the key has ${length} bytes`, async () => {
    await rejects(
      () => createMasker({ ring: [{ id: "k1", bytes: new Uint8Array(length) }], fields }),
      {
        name: "RangeError",
        message: `Mask key k1: expected 32 bytes, got ${length}`,
      },
    );
  });
}

Deno.test("createMasker() throws when the ring has no key with that id", async () => {
  await rejects(() => createMasker({ ring: [k1], fields, keyId: "k7" }), {
    name: "RangeError",
    message: "No mask key has the id k7",
  });
});

Deno.test("mask() throws when the masker was created without the field", async () => {
  const masker = await createMasker({ ring: [k1], fields: ["ip"] });
  await rejects(() => masker.mask("device_id", "203.0.113.7"), {
    name: "RangeError",
    message: "No mask subkey was derived for the field device_id",
  });
});
