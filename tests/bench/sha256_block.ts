/**
 * SHA-256 of one block, as an attacker would write it: straight-line code without a loop, a call or an
 * allocation (FIPS 180-4 section 6.2). Maskline itself uses the runtime's SHA-256.
 *
 * @module
 */

/** Hashes a block of 16 words into a state of 8 words, and writes the new state to `out`. */
export type Compress = (state: Int32Array, block: Int32Array, out: Int32Array) => void;

/** The state before the first block: section 5.3.3. */
export const initialState = Int32Array.from(fractions(8, Math.sqrt));

/** Generates the code and compiles it. */
export function createCompress(): Compress {
  const rounds = fractions(64, Math.cbrt);
  const letters = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const lines = [
    ...letters.map((letter, i) => `let ${letter} = s[${i}]`),
    ...Array.from({ length: 16 }, (_, i) => `let w${i} = m[${i}]`),
    "let t",
  ];
  for (const [i, constant] of rounds.entries()) {
    const w = (back: number) => `w${(i - back + 16) % 16}`;
    if (i >= 16) {
      lines.push(
        `${w(16)} = ${w(16)} + ${small(w(15), 7, 18, 3)} + ${w(7)} + ${
          small(w(2), 17, 19, 10)
        } | 0`,
      );
    }
    // Instead of moving eight values each round, the names move.
    const [a, b, c, d, e, f, g, h] = letters.map((_, at) => letters[(at - i % 8 + 8) % 8]);
    lines.push(
      `t = ${h} + ${large(e, 6, 11, 25)} + (${g} ^ ${e} & (${f} ^ ${g})) + ${constant} + w${
        i % 16
      } | 0`,
      `${d} = ${d} + t | 0`,
      `${h} = t + ${large(a, 2, 13, 22)} + (${a} & ${b} | ${c} & (${a} | ${b})) | 0`,
    );
  }
  lines.push(...letters.map((letter, i) => `o[${i}] = s[${i}] + ${letter}`));
  return new Function("s", "m", "o", lines.join(";\n")) as Compress;
}

function rotated(word: string | undefined, by: number): string {
  return `(${word} >>> ${by} | ${word} << ${32 - by})`;
}

function large(word: string | undefined, ...by: [number, number, number]): string {
  return `(${by.map((bits) => rotated(word, bits)).join(" ^ ")})`;
}

function small(word: string, one: number, other: number, shift: number): string {
  return `(${rotated(word, one)} ^ ${rotated(word, other)} ^ ${word} >>> ${shift})`;
}

/** Computes the first 32 bits of the fractional parts of the roots of the first primes. */
function fractions(count: number, root: (prime: number) => number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) {
    const factors = Array.from({ length: number - 2 }, (_, index) => index + 2);
    if (factors.every((factor) => number % factor !== 0)) {
      found.push(Math.floor((root(number) % 1) * 2 ** 32) | 0);
    }
  }
  return found;
}
