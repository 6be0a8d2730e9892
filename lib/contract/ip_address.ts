/** `ABCD:ABCD:ABCD:ABCD:ABCD:ABCD:255.255.255.255`, the longest text that RFC 4291 allows. */
const LONGEST = 45;
/** `::`, the shortest text. */
const SHORTEST = 2;

const ZEROS: readonly number[] = new Array(8).fill(0);

const DOT = 0x2e;
const COLON = 0x3a;

/**
 * Converts an IP address to its canonical form, or returns null if the text is not an address. All texts
 * of one address have the same form, because a mask must not depend on how the address was written.
 *
 * - **IPv4**: four decimal numbers from 0 to 255 and three dots. A leading zero is refused: some
 *   programs read `010` as eight, others as ten (RFC 6943, section 3.1.1), and the wrong choice would
 *   give one person the mask of another.
 * - **IPv6**: every text form of RFC 4291, section 2.2, converted to the form of RFC 5952, section 4.
 * - **IPv4-mapped IPv6** (`::ffff:0:0/96`), in any text form: the plain IPv4 address.
 *
 * RFC 5952, section 5, recommends the dotted form for the low 32 bits under well-known prefixes,
 * such as `64:ff9b::/96`. Here those stay hexadecimal: the list of well-known prefixes grows, and a mask
 * must not change with it.
 *
 * A zone (`fe80::1%eth0`), a port, brackets, a prefix length and white space are refused: they are
 * not part of the address, and removing them could change its meaning.
 *
 * @param text Of any length. More than 45 UTF-16 units are refused without parsing.
 * @returns At most 39 ASCII characters, or null. The canonical form of a result is the result itself.
 *
 * @example Texts of one address have one form
 * ```ts
 * import { strictEqual } from "node:assert";
 *
 * strictEqual(toCanonicalIpAddress("192.0.2.1"), "192.0.2.1");
 * strictEqual(toCanonicalIpAddress("::FFFF:192.0.2.1"), "192.0.2.1");
 * strictEqual(toCanonicalIpAddress("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
 * strictEqual(toCanonicalIpAddress("64:ff9b::192.0.2.1"), "64:ff9b::c000:201");
 * strictEqual(toCanonicalIpAddress("192.0.2.01"), null);
 * ```
 */
export function toCanonicalIpAddress(text: string): string | null {
  if (text.length < SHORTEST || text.length > LONGEST) return null;
  // Most addresses are plain IPv4, whose only accepted form is canonical: no new text is created.
  if (!text.includes(":")) return parseDottedQuad(text, 0) === null ? null : text;
  const groups = parseGroups(text);
  return groups === null ? null : formatGroups(groups);
}

/** Parses the dotted IPv4 address from index `from` to the end of the text into 32 bits. */
function parseDottedQuad(text: string, from: number): number | null {
  let bits = 0;
  let dots = 0;
  let value = 0;
  let digits = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0 || ++dots > 3) return null;
      bits = bits * 256 + value;
      value = 0;
      digits = 0;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9) return null;
    // A digit after a number that is still zero follows a leading zero.
    if (digits > 0 && value === 0) return null;
    value = value * 10 + digit;
    if (value > 255) return null;
    digits++;
  }
  return dots === 3 && digits > 0 ? bits * 256 + value : null;
}

/** Parses an IPv6 address into its eight 16-bit groups and expands `::`. */
function parseGroups(text: string): number[] | null {
  const groups: number[] = [];
  /** The number of groups before `::`, or -1 if none was found. */
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const start = at;
    let value = 0;
    for (let digit; at < text.length && (digit = parseHexDigit(text.charCodeAt(at))) >= 0; at++) {
      value = value * 16 + digit;
    }
    if (text.charCodeAt(at) === DOT) {
      const quad = parseDottedQuad(text, start);
      if (quad === null) return null;
      groups.push(Math.floor(quad / 0x10000), quad % 0x10000);
      break;
    }
    if (at === start || at - start > 4) return null;
    groups.push(value);
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== COLON) return null;
    if (at === text.length) return null; // a single colon at the end
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return null; // with two `::`, the length of each is ambiguous
      gap = groups.length;
      at++;
    }
  }
  if (gap < 0) return groups.length === 8 ? groups : null;
  // `::` represents at least one group (RFC 4291, section 2.2).
  if (groups.length > 7) return null;
  return groups.slice(0, gap).concat(ZEROS.slice(groups.length), groups.slice(gap));
}

/** Returns the value of a hexadecimal digit's code unit, or -1. */
function parseHexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20; // converts A–F to a–f
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Formats eight groups by RFC 5952, section 4. IPv4-mapped addresses become dotted IPv4. */
function formatGroups(groups: readonly number[]): string {
  const [from, length] = findLongestZeroRun(groups);
  if (from === 0 && length === 5 && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
  }
  // A single zero group is not compressed (section 4.2.2).
  if (length < 2) return joinGroups(groups, 0, 8);
  return `${joinGroups(groups, 0, from)}::${joinGroups(groups, from + length, 8)}`;
}

/** Finds the longest run of zero groups, the first of equal ones (section 4.2.3). */
function findLongestZeroRun(groups: readonly number[]): [from: number, length: number] {
  let from = 0;
  let longest = 0;
  let length = 0;
  for (let index = 0; index < groups.length; index++) {
    length = groups[index] === 0 ? length + 1 : 0;
    if (length > longest) {
      longest = length;
      from = index + 1 - length;
    }
  }
  return [from, longest];
}

function joinGroups(groups: readonly number[], from: number, to: number): string {
  let text = "";
  for (let index = from; index < to; index++) {
    text += (index > from ? ":" : "") + (groups[index] ?? 0).toString(16);
  }
  return text;
}
