import fc from "fast-check";
import { notStrictEqual, rejects, strictEqual, throws } from "node:assert";
import { createHmac, hkdfSync } from "node:crypto";
import { createFastMasker } from "../../lib/mask/fast_mask.ts";
import type { KeyRing } from "../../lib/base/named_key.ts";
import { createMasker } from "../../lib/mask/mask.ts";

const ring: KeyRing = [
  { id: "k2", bytes: crypto.getRandomValues(new Uint8Array(32)) },
  { id: "k1", bytes: crypto.getRandomValues(new Uint8Array(32)) },
];
const pepper = crypto.getRandomValues(new Uint8Array(32));
const fields = ["ip", "device_id"];

const value = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: "grapheme", maxLength: 256 }),
  fc.string({ unit: "binary", maxLength: 600 }),
  // Around the size up to which a value fits into the reused buffer, in characters of 1 to 4 bytes.
  fc.tuple(fc.constantFrom("x", "ë", "デ", "📱"), fc.integer({ min: 250, max: 1_030 }))
    .map(([character, count]) => character.repeat(count)),
);

for (const options of [{}, { keyId: "k1" }, { pepper }]) {
  const names = Object.keys(options).join() || "nothing";
  Deno.test(`mask() equals Web Crypto's when value and field are any, with the options: ${names}`, async () => {
    const fast = await createFastMasker({ ring, fields, ...options });
    const reference = await createMasker({ ring, fields, ...options });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...fields), value, async (field, text) => {
        strictEqual(fast.mask(field, text), await reference.mask(field, text));
      }),
      { numRuns: 3_000 },
    );
  });
}

Deno.test("mask() equals Web Crypto's when key and field name are any", async () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.string({ minLength: 1 }), value, async (key, field, text) => {
      const own: KeyRing = [{ id: "k9", bytes: Uint8Array.from(key) }];
      const fast = await createFastMasker({ ring: own, fields: [field] });
      const reference = await createMasker({ ring: own, fields: [field] });
      strictEqual(fast.mask(field, text), await reference.mask(field, text));
    }),
    { numRuns: 300 },
  );
});

Deno.test("mask() does not include the previous value when a shorter one follows", async () => {
  const fast = await createFastMasker({ ring, fields });
  const reference = await createMasker({ ring, fields });
  for (const text of ["x".repeat(2_000), "x".repeat(1_024), "x".repeat(64), "x", ""]) {
    strictEqual(fast.mask("ip", text), await reference.mask("ip", text));
  }
});

Deno.test("mask() uses the pepper as HKDF's salt when there is one", async () => {
  const [{ bytes }] = ring;
  const subkey = new Uint8Array(hkdfSync("sha256", bytes, pepper, "maskline/mask/v1/ip", 32));
  const expected = createHmac("sha256", subkey).update("203.0.113.7").digest("base64url");
  const { mask } = await createFastMasker({ ring, fields, pepper });
  strictEqual(mask("ip", "203.0.113.7"), `k2.${expected}`);
});

Deno.test("mask() returns other masks when the pepper differs or is missing", async () => {
  const masks = await Promise.all(
    [pepper, pepper.toReversed(), undefined].map(async (salt) =>
      (await createFastMasker({ ring, fields, pepper: salt })).mask("ip", "::1")
    ),
  );
  strictEqual(new Set(masks).size, 3);
});

Deno.test("mask() returns another mask when the value is in another field", async () => {
  const { mask } = await createFastMasker({ ring, fields });
  notStrictEqual(mask("ip", "x"), mask("device_id", "x"));
});

Deno.test("mask() throws when the masker was created without the field", async () => {
  const { mask } = await createFastMasker({ ring, fields: ["ip"] });
  throws(() => mask("device_id", "203.0.113.7"), {
    name: "RangeError",
    message: "No mask subkey was derived for the field device_id",
  });
});

Deno.test("createFastMasker() throws when the key is too short or not in the ring", async () => {
  const short: KeyRing = [{ id: "k1", bytes: new Uint8Array(31) }];
  await rejects(createFastMasker({ ring: short, fields }), RangeError);
  await rejects(createFastMasker({ ring, fields, keyId: "k7" }), RangeError);
});
