// deno-lint-ignore-file no-console -- a program for people, whose output is its purpose
/**
 * Runs `deno task bench:guess`: measures how long one core takes to try all IPv4 addresses and all device
 * ids of the form `ddd-dd-dddd`, against plain SHA-256 as in the exercise, and against masks with a stolen
 * mask key. `SECURITY.md` has the table. Each attack must find a hidden value, which proves that it works.
 *
 * @module
 */
import { createHash, hkdfSync } from "node:crypto";
import { createFastMasker } from "../../lib/mask/fast_mask.ts";
import { markdownTable } from "./report.ts";
import { createCompress, initialState } from "./sha256_block.ts";

const compress = createCompress();

/** A set of values that can be numbered. */
interface Space {
  readonly name: string;
  readonly field: "ip" | "device_id";
  readonly size: number;
  valueAt(index: number): string;
}

const spaces: readonly Space[] = [
  {
    name: "all IPv4 addresses",
    field: "ip",
    size: 2 ** 32,
    valueAt: (index) => `${index >>> 24}.${index >>> 16 & 255}.${index >>> 8 & 255}.${index & 255}`,
  },
  {
    name: "all device ids `ddd-dd-dddd`",
    field: "device_id",
    size: 1e9,
    valueAt(index) {
      const digits = String(index).padStart(9, "0");
      return `${digits.slice(0, 3)}-${digits.slice(3, 5)}-${digits.slice(5)}`;
    },
  },
];

/** Returns the first 32 bits of what the table contains for a value. */
type Guess = (value: string) => number;

/** Values per measurement, and measurements. An estimate, not measured: some seconds each. */
const ATTEMPTS = 4_000_000;
const ROUNDS = 5;

const block = new Int32Array(16);
const digest = new Int32Array(8);

/** Writes a short text into the block, padded like a message that begins `before` bytes earlier. */
function fill(text: string, before: number): void {
  block.fill(0);
  for (let i = 0; i < text.length; i++) {
    block[i >> 2] = (block[i >> 2] ?? 0) | text.charCodeAt(i) << 24 - 8 * (i & 3);
  }
  block[text.length >> 2] = (block[text.length >> 2] ?? 0) | 0x80 << 24 - 8 * (text.length & 3);
  block[15] = 8 * (before + text.length);
}

/** Computes SHA-256 without a key, in one block per value. */
function plain(): Guess {
  return (value) => {
    fill(value, 0);
    compress(initialState, block, digest);
    return digest[0] ?? 0;
  };
}

/** Computes HMAC-SHA-256 with the subkey of a stolen key: both padded keys once, then two blocks per value. */
function keyed(key: Uint8Array, field: string): Guess {
  const subkey = new Uint8Array(hkdfSync("sha256", key, "", `maskline/mask/v1/${field}`, 32));
  const [inner, outer] = [0x36, 0x5c].map((pad) => {
    const padded = new Uint8Array(64).fill(pad);
    subkey.forEach((byte, index) => padded[index] = byte ^ pad);
    const view = new DataView(padded.buffer);
    const words = Int32Array.from({ length: 16 }, (_, index) => view.getInt32(4 * index));
    const state = new Int32Array(8);
    compress(initialState, words, state);
    return state;
  }) as [Int32Array, Int32Array];
  const second = new Int32Array(16);
  second[8] = 0x80 << 24;
  second[15] = 8 * (64 + 32);
  return (value) => {
    fill(value, 64);
    compress(inner, block, digest);
    second.set(digest);
    compress(outer, second, digest);
    return digest[0] ?? 0;
  };
}

/** Tries `ATTEMPTS` values and returns the rate. @throws {Error} it did not find the hidden value */
function attack(space: Space, guess: Guess, stored: (value: string) => number): number {
  const first = Math.floor(Math.random() * (space.size - ATTEMPTS));
  const hidden = first + Math.floor(Math.random() * ATTEMPTS);
  const target = stored(space.valueAt(hidden));
  let found = false;
  const startedAt = performance.now();
  for (let index = first; index < first + ATTEMPTS; index++) {
    if (guess(space.valueAt(index)) === target) found ||= index === hidden;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  if (!found) throw new Error(`The attack on ${space.name} did not find the hidden value`);
  return ATTEMPTS / seconds;
}

function firstWord(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
}

function duration(seconds: number): string {
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const key = crypto.getRandomValues(new Uint8Array(32));
const masker = await createFastMasker({
  ring: [{ id: "k1", bytes: key }],
  fields: spaces.map(({ field }) => field),
});
const lines: string[][] = [];
for (const space of spaces) {
  const { field } = space;
  const unkeyed = (value: string) => firstWord(createHash("sha256").update(value).digest());
  const masked = (value: string) => {
    const encoded = masker.mask(field, value).slice("k1.".length);
    return firstWord(Uint8Array.fromBase64(encoded, { alphabet: "base64url" }));
  };
  const rates = { plain: [] as number[], keyed: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    rates.plain.push(attack(space, plain(), unkeyed));
    rates.keyed.push(attack(space, keyed(key, field), masked));
  }
  const cell = (found: number[]) => {
    const rate = found.toSorted((a, b) => a - b)[found.length >> 1] ?? NaN;
    return `${duration(space.size / rate)} (${(rate / 1e6).toFixed(1)} million/s)`;
  };
  lines.push([space.name, cell(rates.plain), "never: 2²⁵⁶ keys", cell(rates.keyed)]);
}
console.log(markdownTable(
  ["one core tries", "plain SHA-256", "a mask, without the key", "a mask, with the stolen key"],
  lines,
));
