import fc from "fast-check";
import { strictEqual, throws } from "node:assert";
import { createHmac } from "node:crypto";
import { HmacSha256 } from "../../lib/base/hmac.ts";

Deno.test("digest() returns the values of RFC 4231", () => {
  // Test cases 1, 2 and 4 of the RFC: their data are text.
  strictEqual(
    new HmacSha256(new Uint8Array(20).fill(0x0b)).digest("Hi There", "hex"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  );
  strictEqual(
    new HmacSha256(new TextEncoder().encode("Jefe")).digest("what do ya want for nothing?", "hex"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

Deno.test("digest() returns the same as node:crypto when one key authenticates several texts", () => {
  const key = fc.uint8Array({ maxLength: 64 });
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 1_000 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(fc.property(key, texts, (key, texts) => {
    const hmac = new HmacSha256(key);
    for (const text of texts) {
      strictEqual(hmac.digest(text, "hex"), createHmac("sha256", key).update(text).digest("hex"));
    }
  }));
});

Deno.test("HmacSha256 throws when the key is longer than a block", () => {
  throws(() => new HmacSha256(new Uint8Array(65)), RangeError);
});
