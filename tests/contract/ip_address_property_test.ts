import fc from "fast-check";
import { notStrictEqual, strictEqual } from "node:assert";
import { isIP } from "node:net";
import { toCanonicalIpAddress } from "../../lib/contract/ip_address.ts";

/** Zero and ffff are frequent, so that runs, ties and mapped addresses are common. */
const group = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(0xffff) },
  { weight: 3, arbitrary: fc.nat(0xffff) },
);
const groupsOfSix = fc.oneof(
  fc.array(group, { minLength: 6, maxLength: 6 }),
  fc.constant([0, 0, 0, 0, 0, 0xffff]),
);
/** The eight groups of an IPv6 address. */
const address = fc.tuple(groupsOfSix, group, group)
  .map(([six, seventh, eighth]) => [...six, seventh, eighth]);

interface Style {
  readonly upper: boolean[];
  readonly width: number[];
  readonly dotted: boolean;
  /** The place and length of `::`, if the groups there are zero. */
  readonly gap: { readonly from: number; readonly length: number };
}

const style: fc.Arbitrary<Style> = fc.record({
  upper: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  width: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
  dotted: fc.boolean(),
  gap: fc.record({ from: fc.nat(7), length: fc.nat(8) }),
});

/** Returns one of the spellings that RFC 4291, section 2.2, allows. */
function write(groups: readonly number[], { upper, width, dotted, gap }: Style): string {
  const pieces = groups.map((value, index) => {
    const digits = value.toString(16).padStart(width[index] ?? 1, "0");
    return upper[index] ? digits.toUpperCase() : digits;
  });
  if (dotted) {
    const bytes = groups.slice(6).flatMap((value) => [value >> 8, value & 0xff]);
    pieces.splice(6, 2, bytes.join("."));
  }
  const to = Math.min(gap.from + gap.length, dotted ? 6 : 8);
  const isZero = groups.slice(gap.from, to).every((value) => value === 0);
  if (to <= gap.from || !isZero) return pieces.join(":");
  return `${pieces.slice(0, gap.from).join(":")}::${pieces.slice(to).join(":")}`;
}

Deno.test("toCanonicalIpAddress() returns one text when one address has two spellings", () => {
  fc.assert(
    fc.property(address, style, style, (groups, one, other) => {
      const canonical = toCanonicalIpAddress(write(groups, one));
      notStrictEqual(canonical, null);
      strictEqual(toCanonicalIpAddress(write(groups, other)), canonical);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("toCanonicalIpAddress() returns two texts when two addresses differ", () => {
  fc.assert(
    fc.property(address, address, style, (one, other, spelling) => {
      fc.pre(one.join() !== other.join());
      notStrictEqual(
        toCanonicalIpAddress(write(one, spelling)),
        toCanonicalIpAddress(write(other, spelling)),
      );
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("toCanonicalIpAddress() returns its own result unchanged when that is passed in", () => {
  fc.assert(
    fc.property(
      fc.oneof(address, fc.constant([0, 0, 0, 0, 0, 0xffff, 1, 2])),
      style,
      (groups, s) => {
        const canonical = toCanonicalIpAddress(write(groups, s));
        strictEqual(toCanonicalIpAddress(canonical ?? ""), canonical);
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("toCanonicalIpAddress() agrees with the URL parser when an address is IPv6", () => {
  fc.assert(
    fc.property(address, style, (groups, spelling) => {
      const text = write(groups, spelling);
      const [, serialized] = /^\[(.*)\]$/.exec(new URL(`http://[${text}]`).hostname) ?? [];
      // The URL standard writes IPv4-mapped addresses in hexadecimal. We differ there on purpose.
      const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(serialized ?? "");
      const expected = mapped ? dotted(mapped[1] ?? "", mapped[2] ?? "") : serialized;
      strictEqual(toCanonicalIpAddress(text), expected);
    }),
    { numRuns: 2_000 },
  );
});

function dotted(high: string, low: string): string {
  const hexadecimal = high.padStart(4, "0") + low.padStart(4, "0");
  return (hexadecimal.match(/../g) ?? []).map((byte) => parseInt(byte, 16)).join(".");
}

const valid = fc.oneof(
  fc.tuple(address, style).map(([groups, spelling]) => write(groups, spelling)),
  fc.ipV4(),
);

/** An address with one part of it overwritten: most are invalid, but only narrowly. */
const nearlyValid = fc.tuple(
  valid,
  fc.nat(45),
  fc.nat(2),
  fc.constantFrom(
    "",
    ":",
    "::",
    ".",
    "0",
    "9",
    "f",
    "G",
    "25",
    "256",
    ":0",
    "1.2.3.4",
    "%eth0",
    "\n",
  ),
).map(([text, at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed));

const scraps = fc.array(fc.constantFrom("::", ":", ".", "0", "1", "25", "6", "a", "F", "%", "x"), {
  maxLength: 20,
}).map((pieces) => pieces.join(""));

Deno.test("toCanonicalIpAddress() agrees with node:net when a text may be an address", () => {
  fc.assert(
    fc.property(fc.oneof(valid, nearlyValid, scraps, fc.string()), (text) => {
      // node:net accepts a zone id after IPv6. We reject it on purpose.
      const expected = isIP(text) !== 0 && !text.includes("%");
      strictEqual(toCanonicalIpAddress(text) !== null, expected, JSON.stringify(text));
    }),
    { numRuns: 20_000 },
  );
});
