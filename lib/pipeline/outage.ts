import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import { getLogger } from "../observe/log.ts";
import type { StoreError } from "../store/store.ts";

/** Options of {@linkcode Outage}. */
export interface OutageOptions {
  /** Fails while the store cannot be written to. */
  readonly probe: () => Promise<void>;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const log = getLogger("outage");

/**
 * Whether the store is there, known in one place. After a failure one probe, backing off, decides when
 * to try again. That it answers is not yet proof that rows can be written (a full disk answers too), so
 * receiving goes on only once a commit has succeeded, and the back-off starts anew only then.
 */
export class Outage {
  readonly #options: OutageOptions;
  readonly #clock: Clock;
  #state: "up" | "away" | "trying" = "up";
  #attempts = 0;
  #since = 0;
  #probing: Promise<void> | undefined;
  readonly #back = new Notifier();

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** No new message should be received. */
  get isActive(): boolean {
    return this.#state !== "up";
  }

  /** A commit failed transiently: waits until the store answers again, or the signal aborts. */
  waitForRecovery(error: StoreError): Promise<void> {
    if (this.#state === "up") {
      this.#since = this.#clock.now();
      log.warn("The store is away ({code}); receiving stops, what is held is kept", {
        code: error.code,
      });
    }
    this.#state = "away";
    this.#probing ??= this.#probe().finally(() => this.#probing = undefined);
    return this.#probing;
  }

  /** A commit succeeded. */
  recover(): void {
    if (this.#state === "up") return;
    this.#state = "up";
    const seconds = Math.round((this.#clock.now() - this.#since) / 100) / 10;
    log.info("The store is back after {seconds} s and {attempts} tries", {
      seconds,
      attempts: this.#attempts,
    });
    this.#attempts = 0;
    this.#back.notify();
  }

  /** Waits until messages may be received again, or until `signal` aborts. */
  waitUntilUp(signal: AbortSignal): Promise<void> {
    return this.isActive ? this.#back.wait(signal) : Promise.resolve();
  }

  async #probe(): Promise<void> {
    const { probe, signal, random } = this.#options;
    while (!signal.aborted) {
      this.#attempts++;
      await this.#clock.sleep(backoff(this.#attempts, random ? { random } : {}), signal);
      // While this slept another committer's commit may have succeeded: the outage is over then, and
      // what follows must not declare a new one.
      if (signal.aborted || !this.isActive) return;
      try {
        await probe();
        if (this.isActive) this.#state = "trying";
        return;
      } catch {
        // Why the store stays away was said when it went; each further failure says the same.
        log.debug("The store is still away after {attempts} tries", { attempts: this.#attempts });
      }
    }
  }
}
