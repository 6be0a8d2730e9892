/** UTF-16 units. A guess with room to spare: three numbers and a full commit hash take about 55. */
const LONGEST = 64;

/** With 2147 the packed value could pass 2³¹ - 1, the largest `integer` of Postgres. */
const LARGEST_MAJOR = 2146;
/** Minor and patch have three decimal digits each in the packed value. */
const LARGEST_PART = 999;

const MAJOR = 1_000_000;
const MINOR = 1_000;
const LARGEST_PACKED = LARGEST_MAJOR * MAJOR + LARGEST_PART * MINOR + LARGEST_PART;

/**
 * No two pieces of it can begin with the same character, so it never steps back and its time grows
 * with the length alone. `\d` is ASCII, because there is no `u` flag that would change it.
 */
const VERSION = /^[vV]?(\d+)(?:\.(\d+)(?:\.(\d+)(?:\.\d+)?)?)?(?:[-+][0-9A-Za-z.+-]+)?$/;

/**
 * A version as one integer that keeps the order: major·10⁶ + minor·10³ + patch.
 *
 * The text is one to four decimal numbers with dots between them. Missing numbers are 0. Tolerated:
 *
 * - a `v` or `V` in front, which says nothing about the version;
 * - leading zeros, as in `2024.01.05`: these are numbers, and nobody reads them as octal;
 * - a fourth number of any size, which is dropped: it counts builds, and there is no room for it;
 * - a tail of `-` or `+` and at least one of `0-9 A-Z a-z . + -`, which is dropped too. So a
 *   pre-release is equal to its release, which is coarser than SemVer's order but never against it.
 *
 * White space is not tolerated.
 *
 * @param text Of any length; more than 64 UTF-16 units are malformed unread.
 * @returns An integer from 0 to 2 146 999 999, which a Postgres `integer` holds; `"malformed"` when
 * the text is no version; `"out_of_range"` when it is one, but the major number is above 2146, or
 * the minor or the patch number above 999.
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

/**
 * The version that {@linkcode packAppVersion} packed, for people: always three numbers, without
 * what the packing dropped.
 *
 * @param packed An integer from 0 to 2 146 999 999.
 * @throws {RangeError} `packed` is not such an integer. The message does not repeat it, because it
 * may come from a message.
 *
 * @example
 * ```ts
 * import { strictEqual } from "node:assert";
 *
 * strictEqual(unpackAppVersion(2_003_000), "2.3.0");
 * ```
 */
export function unpackAppVersion(packed: number): string {
  if (!Number.isInteger(packed) || packed < 0 || packed > LARGEST_PACKED) {
    throw new RangeError(
      `Cannot unpack an app version: wanted an integer from 0 to ${LARGEST_PACKED}`,
    );
  }
  const major = Math.floor(packed / MAJOR);
  const minor = Math.floor(packed / MINOR) % MINOR;
  return `${major}.${minor}.${packed % MINOR}`;
}
