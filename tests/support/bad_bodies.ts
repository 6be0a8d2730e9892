import { pick, type Random, seededRandom } from "../../lib/local/sample.ts";

/**
 * Generates message bodies that a contract may not expect: bytes that are not text, events with a piece
 * overwritten, values of other types, extreme numbers and nestings, and text that Postgres cannot store.
 * Valid events are among them. The same seed generates the same bodies.
 */
export function* badBodies(count: number, seed: number): Generator<string> {
  const random = seededRandom(seed);
  for (let index = 0; index < count; index++) yield pick(random, kinds)(random);
}

/**
 * Escapes a body for SQS, which refuses characters that XML 1.0 does not have. The escapes are JSON's, so
 * that inside a JSON text the characters still reach the contract. Characters beyond U+FFFF are escaped
 * too: SQS accepts them, the emulator does not.
 */
export function sendable(body: string): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // Without the flag `u` each half of a surrogate pair is one match.
  return body.replaceAll(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, escape) || " ";
}

const FIELDS = ["user_id", "device_type", "ip", "device_id", "locale", "app_version"] as const;

/** Texts at the limits of Unicode, of Postgres and of JSON. */
const TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "\udfff\ud800",
  "\ufeff",
  "\ufffe\uffff",
  "\u{10ffff}",
  "👩‍👩‍👧‍👦",
  "e\u0301".repeat(200),
  "a" + "\u0300\u0327".repeat(3_000),
  // Three and four characters each once they are normalized.
  "\ufb2c".repeat(90),
  "\u{1d160}".repeat(256),
  "\u202e\u2066\u200b",
  "İıẞß",
  "'; DROP TABLE user_logins; --",
  "\\x00",
  "%s%n{id}{reason}",
  "\u2028\u2029\u0085\u00a0",
  "NULL",
  "{1,2}",
  "\\N",
] as const;

/** JSON values that are extreme or of another type. */
const RAW = [
  "1e400",
  "-1e400",
  "1e-400",
  "-0",
  "9".repeat(400),
  `0.${"1".repeat(2_000)}`,
  "123456789012345678901234567890",
  "18446744073709551616",
  "2147483648",
  "NaN",
  "Infinity",
  "0x10",
  "01",
  "true",
  "null",
  "[]",
  "{}",
  '{"ip":{"ip":"192.0.2.1"}}',
] as const;

const ADDRESSES = [
  "1.2.3",
  "010.0.0.1",
  "256.1.1.1",
  "1.1.1.1 ",
  "::",
  "::ffff:192.0.2.1",
  "0:0:0:0:0:FFFF:C000:0201",
  "2001:DB8::0:1",
  "fe80::1%eth0",
  "[::1]:80",
  "1::2::3",
  "٣.1.1.1",
  "0".repeat(5_000),
] as const;

const VERSIONS = [
  "2146.999.999",
  "2147.0.0",
  "1.1000",
  "1.2.3.4.5",
  "v1.2.3-rc.1+5",
  "v",
  "1.",
  "١.٢",
  "9".repeat(70),
  "1e3",
  "-1.2",
  "00.00.00",
] as const;

type Kind = (random: Random) => string;

const kinds: readonly Kind[] = [
  (random) => JSON.stringify(event(random)),
  (random) => JSON.stringify({ ...event(random), extra: random(), "": null }),
  (random) => noise(random, 1 + int(random, 200), 0x100),
  (random) => noise(random, 1 + int(random, 100), 0x10000),
  (random) => new TextDecoder().decode(bytes(random, 1 + int(random, 300))),
  (random) => mutate(random, JSON.stringify(event(random))),
  (random) => mutate(random, mutate(random, JSON.stringify(event(random)))),
  (random) => JSON.stringify({ ...event(random), [pick(random, FIELDS)]: pick(random, TEXTS) }),
  (random) => JSON.stringify({ ...event(random), [pick(random, FIELDS)]: atTheEdge(random) }),
  (random) => withRaw(random, pick(random, RAW)),
  (random) => withRaw(random, nested(random)),
  (random) => JSON.stringify({ ...event(random), ip: pick(random, ADDRESSES) }),
  (random) => JSON.stringify({ ...event(random), app_version: pick(random, VERSIONS) }),
  (random) => JSON.stringify(without(event(random), pick(random, FIELDS))),
  (random) => withName(random, pick(random, ["__proto__", "constructor", "toString", "ip"])),
  (random) =>
    `${pick(random, ["\ufeff", " \n\t", "\0", "//", "\v"])}${JSON.stringify(event(random))}`,
  (random) => pick(random, [...RAW, nested(random), "[".repeat(int(random, 20_000)), '"', "{"]),
  large,
];

function event(random: Random): Record<string, unknown> {
  return {
    user_id: `user-${int(random, 1e6)}`,
    device_type: pick(random, ["android", "iOS"]),
    ip: `203.0.113.${int(random, 256)}`,
    device_id: `device-${int(random, 1e6)}`,
    locale: pick(random, ["DE", "FR", null]),
    app_version: `${int(random, 9)}.${int(random, 99)}.${int(random, 999)}`,
  };
}

function int(random: Random, below: number): number {
  return Math.floor(random() * below);
}

function bytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => int(random, 256));
}

/** Returns random code units below a bound. Of all code units, one in thirty is half a surrogate pair. */
function noise(random: Random, count: number, below: number): string {
  return String.fromCharCode(...Array.from({ length: count }, () => int(random, below)));
}

/** Returns the text with a piece removed, inserted or doubled, or without its end. */
function mutate(random: Random, text: string): string {
  const at = int(random, text.length);
  const piece = text.slice(at, at + 1 + int(random, 12));
  return pick(random, [
    () => text.slice(0, at),
    () => text.slice(0, at) + text.slice(at + piece.length),
    () => text.slice(0, at) + piece + text.slice(at),
    () => text.slice(0, at) + noise(random, 1 + int(random, 3), 0x80) + text.slice(at),
    () =>
      text.slice(0, at) + pick(random, ["\\u0000", "\\ud800", "\\", '"', ",", "}", "null"]) +
      text.slice(at),
  ])();
}

/** Returns a text of about the greatest length, in characters of one or two UTF-16 units. */
function atTheEdge(random: Random): string {
  const length = pick(random, [32, 128, 256]) + pick(random, [-1, 0, 1]);
  return pick(random, ["a", "é", "漢", "📱"]).repeat(length);
}

function nested(random: Random): string {
  const depth = 1 + int(random, 6_000);
  const [open, close] = pick(random, [["[", "]"], ['{"a":', "}"], ['[{"ip":', "}]"]] as const);
  return open.repeat(depth) + "1" + close.repeat(depth - (random() < 0.1 ? 1 : 0));
}

/** Returns an event with this JSON as one of its values, which `JSON.stringify` could not write. */
function withRaw(random: Random, json: string): string {
  const field = pick(random, FIELDS);
  const { [field]: _, ...rest } = event(random);
  return `${JSON.stringify(rest).slice(0, -1)},"${field}":${json}}`;
}

/** Returns an event with a name that objects inherit, or with a name that is in it twice. */
function withName(random: Random, name: string): string {
  const value = pick(random, ['"192.0.2.7"', "{}", "1", '{"user_id":"x"}']);
  return `${JSON.stringify(event(random)).slice(0, -1)},"${name}":${value}}`;
}

function without(object: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

/** Returns an event of up to 60 KB in one of ten cases: a long text in a field, or thousands of fields. */
function large(random: Random): string {
  if (random() < 0.9) return JSON.stringify(event(random));
  if (random() < 0.5) {
    return JSON.stringify({ ...event(random), [pick(random, FIELDS)]: "ab".repeat(30_000) });
  }
  const many = Array.from({ length: 3_000 }, (_, index) => [`field ${index}`, index]);
  return JSON.stringify({ ...event(random), ...Object.fromEntries(many) });
}
