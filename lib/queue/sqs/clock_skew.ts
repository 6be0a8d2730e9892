/** The part of the SDK's client that stores how far the service's clock is ahead, in milliseconds. */
export interface SkewedClock {
  systemClockOffset: number;
}

/**
 * Maximum tolerated clock skew, in milliseconds: the SDK's own value. AWS refuses a signature whose time
 * is five minutes off.
 */
const TOLERATED_SKEW_MS = 240_000;

/**
 * Corrects the offset by the `date` header of an answer that refused a signature. The SDK reads the
 * header of each answer. Here a refusal is enough, because an accepted time was within the tolerance.
 */
export function correctClock(clock: SkewedClock, date: string | undefined, now = Date.now()): void {
  const offset = Date.parse(date ?? "") - now;
  // A missing or invalid date changes nothing.
  if (isTooFar(offset, clock.systemClockOffset)) clock.systemClockOffset = offset;
}

/** Checks whether a signature made with one offset is refused if the other offset is right. */
export function isTooFar(offset: number, other: number): boolean {
  return Math.abs(offset - other) >= TOLERATED_SKEW_MS;
}

/** Formats times for `x-amz-date` (20150830T123600Z). Caches the text for one second. */
export class AmzTimeFormatter {
  #second = NaN;
  #text = "";

  /** Formats the service's time: the local clock plus the offset. */
  format({ systemClockOffset }: SkewedClock, now = Date.now()): string {
    const second = Math.floor((now + systemClockOffset) / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toISOString().replace(/[-:]|\.\d{3}/g, "");
    }
    return this.#text;
  }
}
