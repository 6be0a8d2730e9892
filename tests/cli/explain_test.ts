import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { login } from "../../lib/contract/login.ts";
import { reasons } from "../../lib/contract/reasons.ts";
import { createMasker } from "../../lib/mask/mask.ts";
import { fakeIo } from "../support/fake_io.ts";

const KEY = "Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=";
const message = {
  user_id: "u-1",
  device_type: "ios",
  ip: "203.0.113.7",
  device_id: "zq7-device",
  locale: "en_US",
  app_version: "2.3.0",
};

async function explain(message: unknown, settings: Record<string, string> = {}) {
  const stdin = typeof message === "string" ? message : JSON.stringify(message);
  const io = fakeIo({ stdin, settings });
  const code = await main(["explain"], io);
  return { code, ...io.written };
}

/** Returns the value that `explain` prints for a column. */
function shown(out: string, column: string): string | undefined {
  return new RegExp(`→ +${column} = (.*)$`, "m").exec(out)?.[1];
}

Deno.test("explain prints every field, its rule and the row when a message is valid", async () => {
  const { code, out, err } = await explain(message);
  deepStrictEqual([code, err], [0, ""]);
  for (const { name } of login.fields) match(out, new RegExp(`^${name} +ok  `, "m"));
  strictEqual(shown(out, "user_id"), `"u-1"`);
  strictEqual(shown(out, "device_type"), `"ios"`);
  strictEqual(shown(out, "locale"), `"en_US"`);
  strictEqual(shown(out, "app_version"), "2003000");
});

Deno.test("explain prints how the date is computed, with today's as an example, when a message is valid", async () => {
  const before = new Date().toISOString().slice(0, 10);
  const today = shown((await explain(message)).out, "create_date")?.slice(-10) ?? "";
  ok([before, new Date().toISOString().slice(0, 10)].includes(today), today);
});

Deno.test("explain prints the masks when MASK_KEY is set", async () => {
  const { out } = await explain(message, { MASK_KEY: `k1:${KEY}` });
  const bytes = Uint8Array.fromBase64(KEY);
  const masker = await createMasker({ ring: [{ id: "k1", bytes }], fields: ["ip", "device_id"] });
  strictEqual(shown(out, "masked_ip"), await masker.mask("ip", message.ip));
  strictEqual(shown(out, "masked_device_id"), await masker.mask("device_id", message.device_id));
});

Deno.test("explain prints which setting is missing when it cannot compute masks", async () => {
  const { out } = await explain(message);
  strictEqual(shown(out, "masked_ip"), "(a mask; set MASK_KEY to see it)");
  strictEqual(shown(out, "masked_device_id"), "(a mask; set MASK_KEY to see it)");
});

for (const settings of [{}, { MASK_KEY: `k1:${KEY}` }]) {
  const key = Object.keys(settings).join() || "no key";
  Deno.test(`explain prints no personal value when there is ${key}`, async () => {
    const { out, err } = await explain(message, settings);
    ok(!(out + err).includes(message.ip) && !(out + err).includes("zq7"), out);
  });
}

Deno.test("explain prints null when the locale is null or absent", async () => {
  const { locale: _, ...without } = message;
  strictEqual(shown((await explain({ ...message, locale: null })).out, "locale"), "null");
  strictEqual(shown((await explain(without)).out, "locale"), "null");
});

Deno.test("explain counts unknown keys and prints none of them when a message has some", async () => {
  const { code, out } = await explain({ ...message, zq7: 1, other: "zq7" });
  strictEqual(code, 0);
  match(out, /^2 unknown keys are ignored$/m);
  ok(!out.includes("zq7"));
});

Deno.test("explain does not mention unknown keys when there are none", async () => {
  ok(!(await explain(message)).out.includes("unknown"));
});

Deno.test("explain prints the reason and what was expected when a field is wrong", async () => {
  const { code, out } = await explain({ ...message, device_id: "zq7".repeat(99) });
  strictEqual(code, 1);
  strictEqual(
    out,
    `rejected: too_long (device_id): ${reasons.too_long}\n` +
      "expected: a string of 1 to 256 characters, trimmed, in NFC, personal\n",
  );
});

Deno.test("explain prints the rule of each field when its type is wrong", async () => {
  const expected: [name: keyof typeof message, words: string][] = [
    ["user_id", "a string of 1 to 128 characters"],
    ["device_type", "a string of 1 to 32 characters"],
    ["ip", "an IPv4 or IPv6 address, in canonical form, personal"],
    ["locale", "a string of 1 to 32 characters, or empty, null or absent"],
    ["app_version", "one to four numbers with dots, packed as major·10⁶ + minor·10³ + patch"],
  ];
  for (const [name, words] of expected) {
    const { out } = await explain({ ...message, [name]: 7 });
    strictEqual(
      out,
      `rejected: wrong_type (${name}): ${reasons.wrong_type}\nexpected: ${words}\n`,
    );
  }
});

const bodies: [what: string, body: string, reason: "not_json" | "not_an_object"][] = [
  ["empty", "", "not_json"],
  ["not JSON", "zq7", "not_json"],
  ["JSON after a byte order mark", `\ufeff${JSON.stringify(message)}`, "not_json"],
  ["an array", `["zq7"]`, "not_an_object"],
];
for (const [what, body, reason] of bodies) {
  Deno.test(`explain prints ${reason} and nothing of the body when it is ${what}`, async () => {
    const out = `rejected: ${reason}: ${reasons[reason]}\n`;
    deepStrictEqual(await explain(body), { code: 1, out, err: "" });
  });
}

Deno.test("explain exits with 2 and repeats nothing of MASK_KEY when it is wrong", async () => {
  const { code, out, err } = await explain(message, { MASK_KEY: "k1:zq7zq7zq" });
  deepStrictEqual([code, out], [2, ""]);
  match(err, /MASK_KEY: Key 1 \(k1\): expected .*, got 6 bytes/);
  ok(!err.includes("zq7"));
});
