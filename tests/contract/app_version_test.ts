import fc from "fast-check";
import { ok, strictEqual } from "node:assert";
import { packAppVersion } from "../../lib/contract/app_version.ts";

function expectResult(expected: number | "malformed" | "out_of_range", ...texts: string[]): void {
  for (const text of texts) strictEqual(packAppVersion(text), expected, JSON.stringify(text));
}

Deno.test("packAppVersion() packs major, minor and patch when all are given", () => {
  expectResult(2_003_000, "2.3.0");
  expectResult(1_006, "0.1.6");
  expectResult(12_034_567, "12.34.567");
  expectResult(0, "0.0.0");
});

Deno.test("packAppVersion() uses 0 when a number is missing", () => {
  expectResult(2_000_000, "2", "2.0", "2.0.0");
  expectResult(16_000, "0.16");
});

Deno.test("packAppVersion() returns two numbers when the versions are `0.1.6` and `0.16`", () => {
  ok(packAppVersion("0.1.6") !== packAppVersion("0.16"));
});

Deno.test("packAppVersion() ignores the fourth number when there is one of any size", () => {
  expectResult(1_002_003, "1.2.3.0", "1.2.3.4", "1.2.3.20240131", `1.2.3.${"9".repeat(50)}`);
});

Deno.test("packAppVersion() ignores a leading v when there is one, small or capital", () => {
  expectResult(1_002_003, "v1.2.3", "V1.2.3");
});

Deno.test("packAppVersion() ignores the suffix when there is a pre-release or a build", () => {
  expectResult(
    1_002_003,
    "1.2.3-beta",
    "1.2.3-rc.1",
    "1.2.3+5",
    "1.2.3-beta.2+exp.sha.5114f85",
    "1.2.3.4-x",
  );
  expectResult(1_002_000, "1.2-SNAPSHOT", "v1.2+0", "1.2--", "1.2-+", "1.2-1.5");
});

Deno.test("packAppVersion() reads a number as decimal when it has leading zeros", () => {
  expectResult(2_003_010, "02.003.010");
  expectResult(2024_001_005, "2024.01.05");
  expectResult(1_000_000, `${"0".repeat(63)}1`);
});

Deno.test("packAppVersion() fits a Postgres integer when the version is the largest", () => {
  expectResult(2_146_999_999, "2146.999.999");
  ok(2_146_999_999 <= 2 ** 31 - 1);
});

Deno.test("packAppVersion() returns out of range when major is above 2146", () => {
  expectResult(
    "out_of_range",
    "2147",
    "2147.0.0",
    "v2147-beta",
    "99999999999999999999",
    "9".repeat(64),
  );
});

Deno.test("packAppVersion() returns out of range when minor or patch is above 999", () => {
  expectResult("out_of_range", "1.1000", "1.0.1000", "1.1000.0", "1.1000.1000.1", "1.2.20240131");
});

Deno.test("packAppVersion() returns malformed when a text is both malformed and out of range", () => {
  expectResult("malformed", "9999.x", "2147.", "1.1000.", "1.2.3.4.5", "9999.9999.9999.9999.9999");
});

Deno.test("packAppVersion() returns malformed when numbers or dots are missing", () => {
  expectResult(
    "malformed",
    "",
    ".",
    "v",
    "1.",
    ".1",
    "1..2",
    "1.2.3.",
    "1.2.3.4.",
    "1,2",
    "1 2",
    "1_2",
  );
});

Deno.test("packAppVersion() returns malformed when a number is not plain decimal", () => {
  expectResult("malformed", "-1", "+1", "1e3", "0x10", "1.-2", "1.2.0x3", "NaN", "Infinity");
});

Deno.test("packAppVersion() returns malformed when the suffix is invalid", () => {
  expectResult(
    "malformed",
    "1.2.3-",
    "1.2.3+",
    "1.2.3beta",
    "1.2.3 beta",
    "1.2.3_1",
    "1.2.3-b_1",
    "1.2.3-\u00e9",
  );
});

Deno.test("packAppVersion() returns malformed when the text has a prefix", () => {
  expectResult("malformed", "vv1", "v 1", "v.1", "version 1", "r1.2", "=1.2.3", "^1.2.3", "v-1");
});

Deno.test("packAppVersion() returns malformed when there is white space or U+0000", () => {
  expectResult(
    "malformed",
    " ",
    " 1.2.3",
    "1.2.3 ",
    "1.2.3\n",
    "\t1.2.3",
    "1. 2.3",
    "1.2.3\0",
    "1.2.3-a\n",
  );
});

Deno.test("packAppVersion() returns malformed when digits are not ASCII", () => {
  // A full-width 1, Arabic-Indic digits, a superscript 2.
  expectResult("malformed", "\uff11.2.3", "\u0661.\u0662", "1.\u00b2");
});

Deno.test("packAppVersion() accepts 64 characters, and returns malformed without parsing when there are more", () => {
  expectResult(1_000_000, `1-${"a".repeat(62)}`);
  expectResult("malformed", `1-${"a".repeat(63)}`, "1".repeat(65), "1.".repeat(1_000_000));
});

/** Small numbers are frequent, so that two versions often have the same first numbers. */
const part = fc.oneof(fc.nat(3), fc.nat(999));
const version = fc.tuple(fc.oneof(fc.nat(3), fc.nat(2146)), part, part);
type Version = readonly [number, number, number];

const spelling = fc.record({
  front: fc.constantFrom("", "v", "V"),
  zeros: fc.nat(5),
  fourth: fc.option(fc.nat(), { nil: undefined }),
  tail: fc.oneof(fc.constant(""), fc.stringMatching(/^[-+][0-9A-Za-z.+-]{1,20}$/)),
});

function compare(one: Version, other: Version): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

Deno.test("packAppVersion() keeps the order when two versions are compared", () => {
  fc.assert(
    fc.property(version, version, (one, other) => {
      const difference = Number(packAppVersion(one.join("."))) -
        Number(packAppVersion(other.join(".")));
      strictEqual(Math.sign(difference), Math.sign(compare(one, other)));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("packAppVersion() returns one number when one version has many spellings", () => {
  fc.assert(
    fc.property(version, spelling, (numbers, { front, zeros, fourth, tail }) => {
      const digits = numbers.map((number) => "0".repeat(zeros) + number);
      if (fourth !== undefined) digits.push(String(fourth));
      const text = front + digits.join(".") + tail;
      fc.pre(text.length <= 64);
      strictEqual(packAppVersion(text), packAppVersion(numbers.join(".")));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("packAppVersion() returns a Postgres integer or a reason when the text is any", () => {
  const scraps = fc.array(fc.constantFrom("v", "1", "0", "999", "1000", ".", "-", "+", "b", " "), {
    maxLength: 14,
  }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.oneof(scraps, fc.string()), (text) => {
      const packed = packAppVersion(text);
      if (typeof packed === "string") return;
      ok(Number.isInteger(packed) && packed >= 0 && packed <= 2 ** 31 - 1);
    }),
    { numRuns: 5_000 },
  );
});
