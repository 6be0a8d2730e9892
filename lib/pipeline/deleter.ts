import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import { getLogger } from "../observe/log.ts";
import { type Failures, type MessageHandle, type Queue, QueueError } from "../queue/queue.ts";

/** Options of {@linkcode Deleter}. */
export interface DeleterOptions {
  readonly queue: Queue;
  /** Maximum number of parallel delete calls. */
  readonly maxCalls: number;
  /**
   * No receive starts while this many deletes are pending, because they use memory and their leases
   * expire. The messages in flight at that moment can exceed the limit.
   */
  readonly maxPending: number;
  /** Attempts for one message before it is left for redelivery. Default 6: about 3 s of backoff. */
  readonly maxTries?: number;
  /** Ends the wait between attempts. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

interface PendingDelete {
  id: string;
  handle: string;
  tries: number;
}

/** Limits the ids kept after all attempts failed: each uses about 100 bytes. Estimate, not measured. */
const MAX_REMEMBERED = 100_000;

const log = getLogger("deleter");

/** Deletes committed messages in parallel batches. Counts only the deletes that the queue confirmed. */
export class Deleter {
  readonly #options: DeleterOptions;
  readonly #clock: Clock;
  readonly #pending = new Map<string, PendingDelete>();
  readonly #undeleted = new Set<string>();
  readonly #capacity = new Notifier();
  #ready: PendingDelete[] = [];
  #calls = 0;
  #idle: (() => void)[] = [];

  constructor(options: DeleterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Returns the number of committed messages that are not deleted yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Starts deleting messages. */
  add(messages: readonly MessageHandle[]): void {
    for (const { id, handle } of messages) {
      const known = this.#pending.get(id);
      if (known) {
        known.handle = handle;
        continue;
      }
      const pending = { id, handle, tries: 0 };
      this.#pending.set(id, pending);
      this.#ready.push(pending);
    }
    this.#work();
  }

  /**
   * Deletes a redelivered message that is already committed, by its newer handle. Returns false for any
   * other message, which the caller must process.
   */
  redelete(message: MessageHandle): boolean {
    if (!this.#pending.has(message.id) && !this.#undeleted.delete(message.id)) return false;
    this.add([message]);
    return true;
  }

  /** Waits until no delete is pending. */
  waitUntilIdle(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Waits until fewer than `maxPending` deletes are pending, or until `signal` aborts. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    while (this.#isFull() && !signal.aborted) await this.#capacity.wait(signal);
  }

  #isFull(): boolean {
    return this.#pending.size >= this.#options.maxPending;
  }

  #work(): void {
    const { maxCalls, queue } = this.#options;
    while (this.#calls < maxCalls && this.#ready.length > 0) {
      const group = this.#ready.splice(0, queue.batchSize);
      this.#calls++;
      void this.#delete(group).finally(() => {
        this.#calls--;
        this.#work();
      });
    }
    if (!this.#isFull()) this.#capacity.notify();
    if (this.#pending.size === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #delete(group: readonly PendingDelete[]): Promise<void> {
    const handles = group.map(({ handle }) => handle);
    const failures = await this.#try(group);
    const failed: PendingDelete[] = [];
    group.forEach((pending, index) => {
      if (failures.has(pending.id)) failed.push(pending);
      // It was redelivered during the call. SQS also confirms a delete by an older handle, but may keep
      // the message.
      else if (pending.handle !== handles[index]) this.#ready.push(pending);
      else this.#pending.delete(pending.id);
    });
    if (failed.length > 0) await this.#retry(failed, failures);
  }

  async #try(group: readonly PendingDelete[]): Promise<Failures> {
    try {
      return await this.#options.queue.delete(group.map(({ id, handle }) => ({ id, handle })));
    } catch (error) {
      const code = error instanceof QueueError ? error.code : "unknown";
      return new Map(group.map(({ id }) => [id, code]));
    }
  }

  async #retry(failed: readonly PendingDelete[], failures: Failures): Promise<void> {
    const { maxTries = 6, signal } = this.#options;
    const [code] = failures.values();
    for (const pending of failed) pending.tries++;
    // Each message has its own count: the first failure of one and the last attempt of another can be in
    // the same call.
    const retryable = failed.filter(({ tries }) => tries < maxTries && !signal.aborted);
    const exhausted = failed.filter((pending) => !retryable.includes(pending));
    if (exhausted.length > 0) this.#giveUp(exhausted, code);
    if (retryable.length === 0) return;
    log.debug("{count} deletes failed ({code}). Retrying", { count: retryable.length, code });
    await this.#clock.sleep(backoff(Math.max(...retryable.map(({ tries }) => tries))), signal);
    this.#ready.push(...retryable);
  }

  #giveUp(exhausted: readonly PendingDelete[], code: string | undefined): void {
    log.warn(
      "{count} messages could not be deleted ({code}). Maskline deletes them on redelivery",
      {
        count: exhausted.length,
        code,
      },
    );
    for (const { id } of exhausted) {
      this.#pending.delete(id);
      if (this.#undeleted.size < MAX_REMEMBERED) this.#undeleted.add(id);
    }
  }
}
