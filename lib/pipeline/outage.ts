import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import { getLogger } from "../observe/log.ts";
import type { StoreError } from "../store/store.ts";

/** Options of {@linkcode Outage}. */
export interface OutageOptions {
  /** Fails while the store is unavailable. */
  readonly probe: () => Promise<void>;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const log = getLogger("outage");

/**
 * Tracks whether the store is available. After a failure, a single probe with backoff decides when to
 * retry. A successful probe does not prove that rows can be written (a database with a full disk answers
 * too). Only a successful commit resumes receiving and resets the backoff.
 */
export class Outage {
  readonly #options: OutageOptions;
  readonly #clock: Clock;
  #state: "up" | "unavailable" | "retrying" = "up";
  #attempts = 0;
  #since = 0;
  #probing: Promise<void> | undefined;
  readonly #recovery = new Notifier();

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Whether an outage is under way, in which no message is received. */
  get isActive(): boolean {
    return this.#state !== "up";
  }

  /** Records a transient commit failure. Waits until the store answers again or the signal aborts. */
  waitForRecovery(error: StoreError): Promise<void> {
    if (this.#state === "up") {
      this.#since = this.#clock.now();
      log.warn(
        "The store is unavailable ({code}). Receiving stops, and messages in flight are kept",
        { code: error.code },
      );
    }
    this.#state = "unavailable";
    this.#probing ??= this.#probe().finally(() => this.#probing = undefined);
    return this.#probing;
  }

  /** Records a successful commit, which ends an outage. */
  recover(): void {
    if (this.#state === "up") return;
    this.#state = "up";
    const seconds = Math.round((this.#clock.now() - this.#since) / 100) / 10;
    log.info("The store has recovered after {seconds} s and {attempts} attempts", {
      seconds,
      attempts: this.#attempts,
    });
    this.#attempts = 0;
    this.#recovery.notify();
  }

  /** Waits until messages may be received or `signal` aborts. */
  waitUntilUp(signal: AbortSignal): Promise<void> {
    return this.isActive ? this.#recovery.wait(signal) : Promise.resolve();
  }

  async #probe(): Promise<void> {
    const { probe, signal, random } = this.#options;
    while (!signal.aborted) {
      this.#attempts++;
      await this.#clock.sleep(backoff(this.#attempts, random ? { random } : {}), signal);
      // Another committer may have committed during the sleep. The outage is then over, and a failed
      // probe must not start a new one.
      if (signal.aborted || !this.isActive) return;
      try {
        await probe();
        if (this.isActive) this.#state = "retrying";
        return;
      } catch {
        // The cause was logged at the start of the outage.
        log.debug("The store is still unavailable after {attempts} attempts", {
          attempts: this.#attempts,
        });
      }
    }
  }
}
