import { backoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Notifier } from "../base/notifier.ts";
import { getLogger } from "../observe/log.ts";
import { type Failures, type MessageHandle, type Queue, QueueError } from "../queue/queue.ts";

/** Options of {@linkcode Deleter}. */
export interface DeleterOptions {
  readonly queue: Queue;
  /** Delete calls under way at once. */
  readonly maxCalls: number;
  /**
   * No receive should start while this many deletes are owed: they fill memory, and their leases run
   * out. Exceeded by what is held when it is reached.
   */
  readonly maxPending: number;
  /** Tries for one message before it is left until it comes again. Default 6: about 3 s of back-off. */
  readonly maxTries?: number;
  /** Ends the waiting between tries. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

interface PendingDelete {
  id: string;
  handle: string;
  tries: number;
}

/** Ids remembered after all tries failed; a bound, since each costs some 100 bytes. A guess. */
const MAX_REMEMBERED = 100_000;

const log = getLogger("deleter");

/** Deletes what is committed, by tens and in parallel, and counts only what the queue confirmed. */
export class Deleter {
  readonly #options: DeleterOptions;
  readonly #clock: Clock;
  readonly #owed = new Map<string, PendingDelete>();
  readonly #remembered = new Set<string>();
  readonly #room = new Notifier();
  #ready: PendingDelete[] = [];
  #calls = 0;
  #idle: (() => void)[] = [];
  #deleted = 0;

  constructor(options: DeleterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Messages that the queue confirmed as deleted. */
  get deleted(): number {
    return this.#deleted;
  }

  /** Committed messages that are not deleted yet. */
  get pending(): number {
    return this.#owed.size;
  }

  /** Starts deleting messages. */
  add(messages: readonly MessageHandle[]): void {
    for (const { id, handle } of messages) {
      const known = this.#owed.get(id);
      if (known) {
        known.handle = handle;
        continue;
      }
      const pending = { id, handle, tries: 0 };
      this.#owed.set(id, pending);
      this.#ready.push(pending);
    }
    this.#work();
  }

  /**
   * A message came: where it is one that should be gone, deletes it by its newer handle and answers
   * true; the store need not be asked again.
   */
  redelete(message: MessageHandle): boolean {
    if (!this.#owed.has(message.id) && !this.#remembered.delete(message.id)) return false;
    this.add([message]);
    return true;
  }

  /** Resolves when nothing is owed. */
  waitUntilIdle(): Promise<void> {
    if (this.#owed.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Waits until fewer than `maxOwed` messages are owed, or until `signal` aborts. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    while (this.#isFull() && !signal.aborted) await this.#room.wait(signal);
  }

  #isFull(): boolean {
    return this.#owed.size >= this.#options.maxPending;
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
    if (!this.#isFull()) this.#room.notify();
    if (this.#owed.size === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #delete(group: readonly PendingDelete[]): Promise<void> {
    const handles = group.map(({ handle }) => handle);
    const failures = await this.#try(group);
    const failed: PendingDelete[] = [];
    group.forEach((pending, index) => {
      if (failures.has(pending.id)) failed.push(pending);
      // It came again during the call. SQS answers "deleted" to an older handle too, and may keep it.
      else if (pending.handle !== handles[index]) this.#ready.push(pending);
      else {
        this.#owed.delete(pending.id);
        this.#deleted++;
      }
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
    // Each by its own count: a message that fails for the first time may stand next to one that has
    // used up its tries.
    const again = failed.filter(({ tries }) => tries < maxTries && !signal.aborted);
    const left = failed.filter((pending) => !again.includes(pending));
    if (left.length > 0) this.#leave(left, code);
    if (again.length === 0) return;
    log.debug("{count} deletes failed ({code}), trying again", { count: again.length, code });
    await this.#clock.sleep(backoff(Math.max(...again.map(({ tries }) => tries))), signal);
    this.#ready.push(...again);
  }

  #leave(left: readonly PendingDelete[], code: string | undefined): void {
    log.warn("{count} messages could not be deleted ({code}); they will come again and go then", {
      count: left.length,
      code,
    });
    for (const { id } of left) {
      this.#owed.delete(id);
      if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.add(id);
    }
  }
}
