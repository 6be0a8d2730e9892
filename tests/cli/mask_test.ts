import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { createHmac, hkdfSync } from "node:crypto";
import { main } from "../../lib/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";

const K1 = "Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=";
const K2 = "pPBYQe7IJTTHsZoMnyrmV9TLNhAWfe6xmpG0TM4uD5U=";

async function mask(field: string, stdin: string, settings: Record<string, string> = {}) {
  const io = fakeIo({ stdin, settings: { MASK_KEY: `k1:${K1}`, ...settings } });
  const code = await main(["mask", field], io);
  return { code, ...io.written };
}

/** Computes a mask by the frozen algorithm of the design page, with node:crypto. */
function expectedMask(id: string, key: string, field: string, value: string): string {
  const bytes = Uint8Array.fromBase64(key);
  const subkey = new Uint8Array(hkdfSync("sha256", bytes, "", `maskline/mask/v1/${field}`, 32));
  return `${id}.${createHmac("sha256", subkey).update(value, "utf8").digest("base64url")}\n`;
}

const canonical: [field: string, stdin: string, value: string][] = [
  ["ip", "203.0.113.7", "203.0.113.7"],
  ["ip", "203.0.113.7\n", "203.0.113.7"],
  ["ip", "203.0.113.7\r\n", "203.0.113.7"],
  ["ip", "::FFFF:203.0.113.7\n", "203.0.113.7"],
  ["ip", "2001:DB8:0::1\n", "2001:db8::1"],
  ["device_id", "Zoë 📱\n", "Zoë 📱"],
  ["device_id", "  Zoe\u0308\t\n", "Zoë"],
];
for (const [field, stdin, value] of canonical) {
  const given = JSON.stringify(stdin);
  Deno.test(`mask prints the mask of ${value} when ${field} is ${given}`, async () => {
    const out = expectedMask("k1", K1, field, value);
    deepStrictEqual(await mask(field, stdin), { code: 0, out, err: "" });
  });
}

Deno.test("mask uses the first key when there are several", async () => {
  const { out } = await mask("ip", "::1", { MASK_KEY: `k2:${K2},k1:${K1}` });
  strictEqual(out, expectedMask("k2", K2, "ip", "::1"));
});

const refused: [what: string, field: string, stdin: string, err: RegExp][] = [
  [
    "not an address",
    "ip",
    "zq7.0.113.7",
    /field ip: The text is neither an IPv4 nor an IPv6 address$/,
  ],
  ["surrounded by white space", "ip", " 203.0.113.7", /neither an IPv4/],
  ["two lines", "ip", "::1\n::1\n", /neither an IPv4/],
  ["empty", "ip", "", /neither an IPv4/],
  ["empty", "device_id", "\n", /field device_id: The text is shorter than the contract allows$/],
  ["too long", "device_id", "zq7".repeat(99), /field device_id: The text is longer/],
  ["NUL", "device_id", "zq7\0", /field device_id: The text contains U\+0000/],
];
for (const [what, field, stdin, message] of refused) {
  Deno.test(`mask prints the reason and not the value when ${field} is ${what}`, async () => {
    const { code, out, err } = await mask(field, stdin);
    deepStrictEqual([code, out], [1, ""]);
    match(err.trimEnd(), message);
    ok(!err.includes("zq7") && !err.includes("203.0.113.7"));
  });
}

const fields: [field: string, err: string][] = [
  ["ips", "FIELD: expected ip or device_id; did you mean ip?\n"],
  ["deviceid", "FIELD: expected ip or device_id; did you mean device_id?\n"],
  ["device_ip", "FIELD: expected ip or device_id; did you mean device_id?\n"],
  ["user_id", "FIELD: expected ip or device_id\n"],
  ["203.0.113.7", "FIELD: expected ip or device_id\n"],
  ["__proto__", "FIELD: expected ip or device_id\n"],
];
for (const [field, err] of fields) {
  Deno.test(`mask prints which fields it expected when FIELD is ${field}`, async () => {
    deepStrictEqual(await mask(field, "::1"), { code: 2, out: "", err });
  });
}

Deno.test("mask requires MASK_KEY and no other setting when nothing is set", async () => {
  const { code, out, err } = await mask("ip", "::1", { MASK_KEY: "" });
  deepStrictEqual([code, out], [2, ""]);
  match(err, /^1 wrong setting:\n {2}MASK_KEY: is not set\./);
});

Deno.test("mask repeats nothing of the key when it is wrong", async () => {
  const { code, err } = await mask("ip", "::1", { MASK_KEY: "k1:zq7zq7zq" });
  strictEqual(code, 2);
  ok(!err.includes("zq7"), err);
});
