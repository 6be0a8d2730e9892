import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import { getLogger } from "../observe/log.ts";
import { StoreError } from "../store/store.ts";

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
 * too). Only a commit that the store executes resumes receiving and resets the
 * backoff: a successful one, or one refused for a row.
 */
export class Outage {
  readonly #options: OutageOptions;
  readonly #clock: Clock;
  #state: "up" | "unavailable" | "retrying" = "up";
  #attempts = 0;
  #since = 0;
  /** The newest cause, so that each change of it is logged once. */
  #code = "";
  #probing: Promise<void> | undefined;
  readonly #recovery = new Notifier();

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Whether an outage is in progress, in which no message is received. */
  get isActive(): boolean {
    return this.#state !== "up";
  }

  /**
   * Records a transient commit failure. Waits until the store answers again or the signal aborts.
   *
   * @throws what the probe throws if it is not a StoreError: a bug
   */
  waitForRecovery(error: StoreError): Promise<void> {
    if (this.#state === "up") {
      this.#since = this.#clock.now();
      this.#code = error.code;
      log.warn(
        "The store is unavailable ({code}). Receiving stops, and messages in flight are kept",
        { code: error.code },
      );
    } else this.#recordCode(error.code);
    this.#state = "unavailable";
    this.#probing ??= this.#probe().finally(() => this.#probing = undefined);
    return this.#probing;
  }

  /** Records that the store executed a commit, or refused it for a row. Either ends an outage. */
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
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#recordCode(error.code);
        log.debug("The store is still unavailable after {attempts} attempts ({code})", {
          attempts: this.#attempts,
          code: error.code,
        });
      }
    }
  }

  /** Logs a cause that differs from the last one: a failover begins with 57P01 and may end read-only. */
  #recordCode(code: string): void {
    if (code === this.#code) return;
    log.warn("The store is still unavailable, now with {code} instead of {before}", {
      code,
      before: this.#code,
    });
    this.#code = code;
  }
}
