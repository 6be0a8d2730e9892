/** Where the SDK's client keeps how far the service's clock is ahead of ours, in milliseconds. */
export interface SkewedClock {
  systemClockOffset: number;
}

/**
 * From here on a clock counts as wrong, in milliseconds: the SDK's own figure. AWS refuses a signature
 * whose time is five minutes off.
 */
const TOLERATED_SKEW_MS = 240_000;

/**
 * Corrects the offset by the `date` of an answer that refused a signature. The SDK takes one with each
 * answer; here only a refusal is looked at, since a time that was accepted was right enough.
 */
export function correctClock(clock: SkewedClock, date: string | undefined, now = Date.now()): void {
  const offset = Date.parse(date ?? "") - now;
  // An answer without a date, or with one that is none, teaches nothing.
  if (isTooFar(offset, clock.systemClockOffset)) clock.systemClockOffset = offset;
}

/** Whether what was signed by one offset may have been refused where the other is right. */
export function isTooFar(offset: number, other: number): boolean {
  return Math.abs(offset - other) >= TOLERATED_SKEW_MS;
}

/** Writes times as `x-amz-date` has them (20150830T123600Z), once a second: each second is asked often. */
export class AmzTimeFormatter {
  #second = NaN;
  #text = "";

  /** The service's time by our clock and its offset. */
  format({ systemClockOffset }: SkewedClock, now = Date.now()): string {
    const second = Math.floor((now + systemClockOffset) / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toISOString().replace(/[-:]|\.\d{3}/g, "");
    }
    return this.#text;
  }
}
