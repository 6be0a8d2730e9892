import { OperationError } from "../../lib/base/errors.ts";
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { createHash } from "node:crypto";
import { KEY_BYTES, type NamedKey } from "../../lib/base/named_key.ts";
import { parseNamedKeys } from "../../lib/config/parse_keys.ts";

const bytes = Uint8Array.fromHex(
  "5b0fa7be1136d2c84e9973fc60d518a92b34c7ee8a017d5f92e64cb338d1f06a",
);
const base64 = bytes.toBase64();

function textOf(key: Uint8Array, id = "k1"): string {
  return `${id}:${key.toBase64()}`;
}

/** Expects an OperationError with this message, which contains no part of the text after an id. */
function refuses(text: string, message: RegExp, atMost = 1): void {
  throws(() => parseNamedKeys(text, atMost), (error) => {
    ok(error instanceof OperationError);
    ok(message.test(error.message), error.message);
    for (const part of text.split(",")) {
      const secret = part.slice(part.indexOf(":") + 1).trim();
      if (secret.length > 3) ok(!error.message.includes(secret), error.message);
    }
    return true;
  });
}

Deno.test("parseNamedKeys() returns id and bytes when a key is valid", () => {
  deepStrictEqual(parseNamedKeys(`k1:${base64}`), [{ id: "k1", bytes }]);
});

Deno.test("parseNamedKeys() keeps the order when several keys are valid", () => {
  const keys = Array.from({ length: 8 }, (_, id) => bytes.map((byte) => byte ^ (id + 1)));
  const text = keys.map((key, index) => textOf(key, `k${index}`)).join(",");
  const expected: NamedKey[] = keys.map((key, index) => ({ id: `k${index}`, bytes: key }));
  deepStrictEqual(parseNamedKeys(text, 8), expected);
});

Deno.test("parseNamedKeys() ignores white space around a key", () => {
  const other = bytes.map((byte) => byte ^ 0xff);
  const keys = parseNamedKeys(` ${textOf(bytes)} ,\n${textOf(other, "k2")}\r\n`, 2);
  deepStrictEqual(keys, [{ id: "k1", bytes }, { id: "k2", bytes: other }]);
});

Deno.test("parseNamedKeys() reads a key when it is base64url or has no padding", () => {
  const key = bytes.map((byte, index) => index < 3 ? 0xfb + index : byte);
  const encoded = key.toBase64();
  ok(/[+/]/.test(encoded) && encoded.endsWith("="));
  const url = key.toBase64({ alphabet: "base64url" });
  for (const text of [encoded, encoded.replace("=", ""), url, url.replace("=", "")]) {
    deepStrictEqual(parseNamedKeys(`k1:${text}`), [{ id: "k1", bytes: key }]);
  }
});

for (const id of ["k", "k1", "v2", "k2026", "abcdefghij012345"]) {
  Deno.test(`parseNamedKeys() accepts an id when it is ${id}`, () => {
    strictEqual(parseNamedKeys(`${id}:${base64}`)[0].id, id);
  });
}

const badIds = ["", "K1", "1k", "k-1", "k.1", "é", "k 1", "abcdefghij0123456"];
for (const id of badIds) {
  Deno.test(`parseNamedKeys() throws when the id is ${JSON.stringify(id)}`, () => {
    refuses(`${id}:${base64}`, /^Key 1: expected <id>:<base64 of 32 bytes>, got another form\./);
  });
}

Deno.test("parseNamedKeys() throws when the text is empty, has no id or no key", () => {
  for (const text of ["", " ", base64, "k1", "k1:", ":", "k1: "]) {
    refuses(text, /^Key 1: .*, got another form\./);
  }
});

for (const length of [1, 16, 31, 33, 64]) {
  Deno.test(`parseNamedKeys() throws when a key has ${length} bytes`, () => {
    const key = Uint8Array.from({ length }, (_, index) => bytes[index % 32] ?? 0);
    refuses(textOf(key), new RegExp(`^Key 1 \\(k1\\): expected .*, got ${length} bytes\\.`));
  });
}

Deno.test("KEY_BYTES is 32", () => {
  strictEqual(KEY_BYTES, 32);
});

Deno.test("parseNamedKeys() throws when a key is not base64", () => {
  for (const text of ["!".repeat(44), bytes.toHex().slice(0, 43) + "*", "ä".repeat(44)]) {
    refuses(`k1:${text}`, /^Key 1 \(k1\): expected .*, got invalid base64\./);
  }
  // A key must not mix the two alphabets.
  refuses(`k1:${"+-/_".repeat(11)}`, /^Key 1 \(k1\): expected .*, got invalid base64\./);
});

Deno.test("parseNamedKeys() throws when two keys have one id", () => {
  const other = textOf(bytes.map((byte) => byte ^ 1));
  const message = /^expected each key id once, got k1 twice$/;
  refuses(`${textOf(bytes)},${other}`, message, 2);
  refuses(`${textOf(bytes)},${textOf(bytes)}`, message, 2);
  refuses(`${textOf(bytes)},${textOf(bytes, "k2")},${other}`, message, 3);
});

Deno.test("parseNamedKeys() throws when there are more keys than allowed", () => {
  const two = `${textOf(bytes)},${textOf(bytes, "k2")}`;
  refuses(two, /^expected at most 1 key, got 2$/);
});

Deno.test("parseNamedKeys() names the position of the key that is wrong", () => {
  refuses(`${textOf(bytes)},k2:AAAA`, /^Key 2 \(k2\): expected .*, got 3 bytes/, 2);
  refuses(`${textOf(bytes)},`, /^Key 2: .*, got another form/, 2);
});

const weak: Record<string, [key: Uint8Array, message: RegExp]> = {
  "zeros": [new Uint8Array(32), /repeats few byte values/],
  "one byte": [new Uint8Array(32).fill(0xa5), /repeats few byte values/],
  "fifteen byte values": [bytes.map((_, i) => (i % 15) * 17 ^ 0x80), /repeats few byte values/],
  "counting up": [bytes.map((_, index) => index), /plain sequence/],
  "counting down": [bytes.map((_, index) => 255 - index), /plain sequence/],
  "counting up with an overflow": [bytes.map((_, index) => 240 + index), /plain sequence/],
  "counting in threes": [bytes.map((_, index) => 5 + 3 * index), /plain sequence/],
  "a sentence": [
    new TextEncoder().encode("correct horse battery staple 42!"),
    /is text, not random bytes/,
  ],
};
for (const [what, [key, message]] of Object.entries(weak)) {
  Deno.test(`parseNamedKeys() throws when a key is ${what}`, () => {
    strictEqual(key.length, 32);
    refuses(textOf(key), message);
  });
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const wellKnown = {
  "of the frozen mask vectors": "8f4c1db0a37e52669ed30b17c5f8214a6be0d59c3387f21054dea96b7c0812fd",
  "of the frozen vault vector": "d9d5c57971eefb085e3abaf7a5a4a6cdb8185f30105583cdb09ad8f61886ec65",
  "SHA-256 of nothing": sha256(""),
  "SHA-256 of `password`": sha256("password"),
  "SHA-256 of `secret`": sha256("secret"),
  "SHA-256 of `test`": sha256("test"),
  "of RFC 4231": "0102030405060708090a0b0c0d0e0f1011121314151617181900000000000000",
};
for (const [what, hex] of Object.entries(wellKnown)) {
  Deno.test(`parseNamedKeys() throws when a key is the one ${what}`, () => {
    refuses(textOf(Uint8Array.fromHex(hex)), /is published in a document/);
  });
}

Deno.test("parseNamedKeys() accepts 500 random keys", () => {
  for (let count = 0; count < 500; count++) {
    const key = crypto.getRandomValues(new Uint8Array(32));
    deepStrictEqual(parseNamedKeys(textOf(key)), [{ id: "k1", bytes: key }]);
  }
});
