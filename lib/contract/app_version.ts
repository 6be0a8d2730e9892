/** Maximum length in UTF-16 units. Estimate, not measured: three numbers and a commit hash take about 55. */
const LONGEST = 64;

/** With 2147 the packed value could pass 2³¹ - 1, the largest `integer` of Postgres. */
const LARGEST_MAJOR = 2146;
/** Minor and patch have three decimal digits each in the packed value. */
const LARGEST_PART = 999;

const MAJOR = 1_000_000;
const MINOR = 1_000;

/**
 * Matches a version. No two alternatives begin with the same character, so it never backtracks and its
 * time is linear. `\d` matches ASCII digits only.
 */
const VERSION = /^[vV]?(\d+)(?:\.(\d+)(?:\.(\d+)(?:\.\d+)?)?)?(?:[-+][0-9A-Za-z.+-]+)?$/;

/**
 * Packs a version into one integer that keeps the order: major·10⁶ + minor·10³ + patch.
 *
 * The text is one to four decimal numbers separated by dots. Missing numbers are 0. Accepted:
 *
 * - a leading `v` or `V`, which has no meaning;
 * - leading zeros, as in `2024.01.05`: these are decimal numbers and never octal;
 * - a fourth number of any size, which is dropped: it counts builds, and the integer has no room for it;
 * - a suffix of `-` or `+` and at least one of `0-9 A-Z a-z . + -`, which is dropped too. A pre-release
 *   thus equals its release, which is coarser than SemVer's order but never contradicts it.
 *
 * White space is not accepted.
 *
 * @param text Of any length. More than 64 UTF-16 units are malformed and are not parsed.
 * @returns An integer from 0 to 2 146 999 999, which fits into a Postgres `integer`; `"malformed"` if
 * the text is not a version; `"out_of_range"` if the major number is above 2146, or the minor or the
 * patch number above 999.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert";
 *
 * strictEqual(packAppVersion("2.3.0"), 2_003_000);
 * strictEqual(packAppVersion("v0.1.6-beta+5"), 1_006);
 * strictEqual(packAppVersion("0.16"), 16_000);
 * strictEqual(packAppVersion("1.1000"), "out_of_range");
 * strictEqual(packAppVersion("latest"), "malformed");
 * ```
 */
export function packAppVersion(text: string): number | "malformed" | "out_of_range" {
  if (text.length > LONGEST) return "malformed";
  const numbers = VERSION.exec(text);
  if (numbers === null) return "malformed";
  const major = Number(numbers[1]);
  const minor = Number(numbers[2] ?? 0);
  const patch = Number(numbers[3] ?? 0);
  if (major > LARGEST_MAJOR || minor > LARGEST_PART || patch > LARGEST_PART) return "out_of_range";
  return major * MAJOR + minor * MINOR + patch;
}
