import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { decode, type Event, type Rejection } from "../../lib/contract/decode.ts";
import { login } from "../../lib/contract/login.ts";
import type { Reason } from "../../lib/contract/reasons.ts";

const valid = {
  user_id: "u-1",
  device_type: "ios",
  ip: "203.0.113.7",
  device_id: "d-1",
  locale: "en_US",
  app_version: "2.3.0",
};
type Name = keyof typeof valid;
const names = Object.keys(valid) as Name[];

/** Returns a valid message with some fields changed. `undefined` removes a field. */
function bodyWith(changes: Record<string, unknown>): string {
  return JSON.stringify({ ...valid, ...changes });
}

function rejection(reason: Reason, field: string | null): Rejection {
  return { kind: "rejection", reason, field };
}

function eventOf(body: string): Event {
  const event = decode(login, body);
  if (event.kind === "rejection") throw new Error(`${event.reason} ${event.field}`);
  return event;
}

function valueOf(name: Name, value: unknown): unknown {
  return eventOf(bodyWith({ [name]: value })).values[names.indexOf(name)];
}

Deno.test("decode() returns the values in the contract's order when a message is valid", () => {
  deepStrictEqual(decode(login, JSON.stringify(valid)), {
    kind: "event",
    values: ["u-1", "ios", "203.0.113.7", "d-1", "en_US", 2_003_000],
    unknownFields: 0,
  });
});

Deno.test("decode() returns the same when the order of keys or the white space differs", () => {
  const turned = Object.fromEntries(Object.entries(valid).reverse());
  deepStrictEqual(
    decode(login, `\r\n\t ${JSON.stringify(turned, null, 2)} \n`),
    decode(login, JSON.stringify(valid)),
  );
});

// The limits of the contract table on the design page, in code points.
const bounds = { user_id: 128, device_type: 32, device_id: 256, locale: 32 } as const;
const letters = { "ASCII letters": "a", "emoji": "📱", "three-byte characters": "語" };

for (const [name, max] of Object.entries(bounds) as [keyof typeof bounds, number][]) {
  Deno.test(`decode() rejects as too_short when ${name} is required and empty`, () => {
    const field = login.fields.find((one) => one.name === name);
    const fields = field ? [{ ...field, optional: false }] : [];
    const required = { ...login, fields };
    deepStrictEqual(decode(required, bodyWith({ [name]: "" })), rejection("too_short", name));
  });
  for (const [what, letter] of Object.entries(letters)) {
    Deno.test(`decode() accepts ${name} when it is 1 or ${max} ${what}`, () => {
      strictEqual(valueOf(name, letter), letter);
      strictEqual(valueOf(name, letter.repeat(max)), letter.repeat(max));
    });
    Deno.test(`decode() rejects as too_long when ${name} is ${max + 1} ${what}`, () => {
      const body = bodyWith({ [name]: letter.repeat(max + 1) });
      deepStrictEqual(decode(login, body), rejection("too_long", name));
    });
  }
  Deno.test(`decode() rejects as unstorable_text when ${name} has U+0000`, () => {
    for (const text of ["\0", "a\0", "\0a", "a\0b"]) {
      const body = bodyWith({ [name]: text });
      deepStrictEqual(decode(login, body), rejection("unstorable_text", name));
    }
  });
  Deno.test(`decode() rejects as unstorable_text when ${name} has a lone surrogate`, () => {
    for (const text of ["\ud83d", "\udcf1", "a\ud83d", "\udcf1\ud83d"]) {
      const escaped = bodyWith({ [name]: text });
      const raw = bodyWith({ [name]: "@" }).replace("@", () => text);
      deepStrictEqual(decode(login, escaped), rejection("unstorable_text", name));
      deepStrictEqual(decode(login, raw), rejection("unstorable_text", name));
    }
  });
}

for (const name of names) {
  Deno.test(`decode() rejects as wrong_type when ${name} is not a string`, () => {
    for (const value of [0, 1.5, true, false, [], ["a"], {}, { a: 1 }]) {
      const body = bodyWith({ [name]: value });
      deepStrictEqual(decode(login, body), rejection("wrong_type", name));
    }
  });
  if (name === "locale") continue;
  Deno.test(`decode() rejects as missing when ${name} is absent`, () => {
    deepStrictEqual(decode(login, bodyWith({ [name]: undefined })), rejection("missing", name));
  });
  Deno.test(`decode() rejects as wrong_type when ${name} is null`, () => {
    deepStrictEqual(decode(login, bodyWith({ [name]: null })), rejection("wrong_type", name));
  });
}

Deno.test("decode() returns null for the locale when it is null", () => {
  strictEqual(valueOf("locale", null), null);
});

Deno.test("decode() returns null for an optional field of any type when it is empty", () => {
  // Many producers write "" for "unknown".
  strictEqual(valueOf("locale", ""), null);
  for (const field of login.fields) {
    const optional = { ...login, fields: [{ ...field, optional: true }] };
    const decoded = decode(optional, bodyWith({ [field.name]: "" }));
    deepStrictEqual(decoded.kind === "event" && decoded.values, [null]);
  }
});

Deno.test("decode() returns null for the locale when it is absent", () => {
  strictEqual(valueOf("locale", undefined), null);
});

Deno.test("decode() keeps white space when the field is not the device id", () => {
  strictEqual(valueOf("user_id", " u 1\t"), " u 1\t");
  strictEqual(valueOf("device_type", " "), " ");
  strictEqual(valueOf("locale", " en "), " en ");
});

Deno.test("decode() does not normalize text when the field is not the device id", () => {
  strictEqual(valueOf("user_id", "Zoe\u0308"), "Zoe\u0308");
});

Deno.test("decode() trims the device id when it has white space around it", () => {
  strictEqual(valueOf("device_id", "\u00a0\ufeff \r\n\td 1\u2003 \u2028"), "d 1");
});

Deno.test("decode() rejects as too_short when the device id is white space only", () => {
  deepStrictEqual(decode(login, bodyWith({ device_id: " \t\n" })), {
    ...rejection("too_short", "device_id"),
  });
});

Deno.test("decode() returns one device id when two spellings are equal in NFC", () => {
  strictEqual(valueOf("device_id", "Zoe\u0308"), "Zo\u00eb");
  strictEqual(valueOf("device_id", "\u1112\u1161\u11ab"), "\ud55c");
});

Deno.test("decode() measures the device id after trimming", () => {
  strictEqual(valueOf("device_id", ` ${"a".repeat(256)} `), "a".repeat(256));
});

Deno.test("decode() measures the device id after normalizing", () => {
  strictEqual(valueOf("device_id", "e\u0308".repeat(256)), "ë".repeat(256));
  // The longest spelling: NFC combines its four code points into one.
  strictEqual(valueOf("device_id", "\u03b1\u0313\u0300\u0345".repeat(256)), "\u1f82".repeat(256));
  // U+0958 becomes longer: NFC decomposes it.
  deepStrictEqual(
    decode(login, bodyWith({ device_id: "\u0958".repeat(129) })),
    rejection("too_long", "device_id"),
  );
});

Deno.test("decode() is fast when the device id is one long sequence of combining marks", () => {
  // NFC sorts the marks in quadratic time: these took 20 s, and 1 MiB of them would take 10 min.
  const startedAt = performance.now();
  const body = bodyWith({ device_id: `a${"\u0301\u0316".repeat(100_000)}` });
  deepStrictEqual(decode(login, body), rejection("too_long", "device_id"));
  ok(performance.now() - startedAt < 10_000);
});

Deno.test("decode() returns the canonical address when the IP has another spelling", () => {
  strictEqual(valueOf("ip", "::FFFF:203.0.113.7"), "203.0.113.7");
  strictEqual(valueOf("ip", "2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
});

Deno.test("decode() rejects as not_an_ip_address when the IP is not an address", () => {
  for (
    const ip of ["", " ", "203.0.113", "203.0.113.256", " ::1", "localhost", "::1\0", "\ud800"]
  ) {
    deepStrictEqual(decode(login, bodyWith({ ip })), rejection("not_an_ip_address", "ip"));
  }
});

Deno.test("decode() returns two packed versions when they are 0.1.6 and 0.16", () => {
  strictEqual(valueOf("app_version", "0.1.6"), 1_006);
  strictEqual(valueOf("app_version", "0.16"), 16_000);
  strictEqual(valueOf("app_version", "v2146.999.999.7-beta+5"), 2_146_999_999);
});

Deno.test("decode() rejects as not_a_version when the version is not one", () => {
  for (const app_version of ["", "latest", "1.2.3.4.5", "1..2", "\u0661.2", "1.2\0"]) {
    const body = bodyWith({ app_version });
    deepStrictEqual(decode(login, body), rejection("not_a_version", "app_version"));
  }
});

Deno.test("decode() rejects as version_out_of_range when a number is too large", () => {
  for (const app_version of ["2147", "1.1000", "1.0.1000", "999999999999999999999"]) {
    const body = bodyWith({ app_version });
    deepStrictEqual(decode(login, body), rejection("version_out_of_range", "app_version"));
  }
});
