/** Which messages to create. */
export interface MessagesOptions {
  /** Eight hexadecimal digits at the start of each user id, which distinguish the rows of two runs. */
  readonly tag: string;
  /** Share of the messages whose address and device were in an earlier one, in percent. */
  readonly repeats: number;
}

const LOCALES = ["RU", "US", "DE", "BR", "IN", "ID", null, "FR", "PH", null] as const;
const VERSIONS = ["2.3.0", "2.3.1", "0.3.7", "0.37", "1.2.7", "3.0", "5", "0.1.6", "1.16.0"];

/** How far back a repeated value is, in messages. An estimate, not measured: an office within a minute. */
const RECENT = 2_000;

/**
 * Creates the body of the message at `index`, always a valid login event. It is computed and not random,
 * so that each contestant gets the same messages. No two addresses, devices or users are the same unless
 * `repeats` is above 0.
 */
export function messageAt(index: number, { tag, repeats }: MessagesOptions): string {
  const person = repeats > 0 ? repeated(index, repeats) : index;
  return JSON.stringify({
    user_id: `${tag}-${hex(index >>> 16, 4)}-4${hex(index & 0xfff, 3)}-a${
      hex(index >>> 12 & 0xfff, 3)
    }-${hex(scatter(index), 12)}`,
    device_type: index % 3 === 0 ? "iOS" : "android",
    ip: addressOf(person),
    device_id: deviceOf(person),
    locale: LOCALES[index % LOCALES.length] ?? null,
    app_version: VERSIONS[index % VERSIONS.length],
  });
}

/** Returns the index of the message whose values this one has: its own, or that of an earlier one. */
function repeated(index: number, percent: number): number {
  let person = index;
  // The earlier message may be a repetition too. Its values are those of the message that it repeats.
  while (person > 0 && scatter(person) % 100 < percent) {
    person -= 1 + scatter(person ^ 0x5bd1e995) % Math.min(person, RECENT);
  }
  return person;
}

/** Creates an address. One in seven is IPv6, roughly as in practice. All differ: the multiplier is odd. */
function addressOf(person: number): string {
  const bits = scatter(person);
  const [high, low] = [bits >>> 16, bits & 0xffff];
  if (person % 7 === 0) return `2001:db8:${high.toString(16)}::${low.toString(16)}`;
  return `${high >>> 8}.${high & 255}.${low >>> 8}.${low & 255}`;
}

/** Creates a device id. All differ below 1,000,000,000, which has no factor in common with 1,234,567. */
function deviceOf(person: number): string {
  const digits = String(person * 1_234_567 % 1_000_000_000).padStart(9, "0");
  return `${digits.slice(0, 3)}-${digits.slice(3, 5)}-${digits.slice(5)}`;
}

/** Spreads numbers over 32 bits, each to a different one (Knuth's multiplier). */
function scatter(number: number): number {
  return Math.imul(number, 2_654_435_761) >>> 0;
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, "0");
}
