import type { Clock } from "../../lib/base/clock.ts";
import {
  type Failures,
  type Message,
  type MessageHandle,
  type Queue,
  QueueError,
  type ReceiveOptions,
} from "../../lib/queue/queue.ts";

/** Options of {@linkcode FakeQueue}. */
export interface FakeQueueOptions {
  readonly clock: Clock;
  /** Default 30. */
  readonly leaseSeconds?: number;
  /** The number of receives after which a message becomes a dead letter. Default: unlimited. */
  readonly maxReceiveCount?: number;
}

/** The calls of a queue. */
export type Call = "receive" | "delete" | "extend" | "release";

interface Stored {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  receiveCount: number;
  visibleAt: number;
  /** The newest handle; empty before the first receive. */
  handle: string;
  receivedAt: number;
}

/** SQS ends every lease 12 hours after the receipt. */
const LONGEST_MS = 12 * 3_600_000;

/** A queue that behaves as SQS does, on a clock that a test controls. */
export class FakeQueue implements Queue {
  readonly leaseSeconds: number;
  readonly longestLeaseSeconds = LONGEST_MS / 1000;
  readonly batchSize = 10;
  readonly longestWaitSeconds = 20;
  readonly reliableWaitSeconds = 1;
  readonly emptyReceivesWhenDrained = 2;
  readonly deadLetters: string[] = [];
  /** How often each call was made, and with how many messages. */
  readonly calls: Record<Call, number[]> = { receive: [], delete: [], extend: [], release: [] };
  /** While this is a code, every call fails with it. */
  away: string | undefined;
  /** If this returns a code, the call fails for this message only. */
  fails: (call: Call, held: MessageHandle) => string | undefined = () => undefined;
  /** Receives that wait for a message now, and the most that did at one time. */
  polling = 0;
  mostPolling = 0;
  readonly #clock: Clock;
  readonly #maxReceiveCount: number;
  readonly #stored = new Map<string, Stored>();
  readonly #gates = new Map<Call, Promise<void>>();
  #arrival = new AbortController();
  #sent = 0;
  #handles = 0;

  constructor({ clock, leaseSeconds = 30, maxReceiveCount = Infinity }: FakeQueueOptions) {
    this.#clock = clock;
    this.leaseSeconds = leaseSeconds;
    this.#maxReceiveCount = maxReceiveCount;
  }

  /** Ids of all messages in the queue, visible or not. */
  get ids(): string[] {
    return [...this.#stored.keys()];
  }

  /** Ids of the messages that a receive would find now. */
  get visible(): string[] {
    return this.#visible().map(({ id }) => id);
  }

  has(id: string): boolean {
    return this.#stored.has(id);
  }

  /** How often a message that is still in the queue was received. */
  receiveCount(id: string): number {
    return this.#stored.get(id)?.receiveCount ?? 0;
  }

  /** Sends messages and returns their ids. */
  send(bodies: readonly string[]): string[] {
    const ids = bodies.map((body) => {
      const id = `m${String(++this.#sent).padStart(5, "0")}`;
      const at = this.#clock.now();
      const stored = { id, body, sentAt: 1_760_000_000_000 + at, receiveCount: 0, visibleAt: at };
      this.#stored.set(id, { ...stored, handle: "", receivedAt: 0 });
      return id;
    });
    this.#arrive();
    return ids;
  }

  /** Redelivers a message before its lease expires, as SQS can at any time. */
  redeliver(id: string): void {
    const stored = this.#stored.get(id);
    if (stored) stored.visibleAt = this.#clock.now();
    this.#arrive();
  }

  /** Blocks further calls of this kind before they do anything, until the returned function is called. */
  hold(call: Call): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.set(call, promise);
    return () => {
      this.#gates.delete(call);
      resolve();
    };
  }

  async receive({ waitSeconds, signal }: ReceiveOptions): Promise<Message[]> {
    await this.#begin("receive", []);
    const until = this.#clock.now() + waitSeconds * 1000;
    this.mostPolling = Math.max(this.mostPolling, ++this.polling);
    try {
      while (true) {
        if (signal.aborted) throw new QueueError("receive messages", "AbortError");
        this.#failIfAway("receive");
        this.#moveToDeadLetters();
        const found = this.#visible().slice(0, this.batchSize);
        if (found.length > 0 || this.#clock.now() >= until) {
          return found.map((stored) => this.#deliver(stored));
        }
        await this.#change(until, signal);
      }
    } finally {
      this.polling--;
    }
  }

  async delete(held: readonly MessageHandle[]): Promise<Failures> {
    return await this.#batch("delete", held, (stored, handle) => {
      // SQS answers "deleted" to a handle that is not the newest too, and keeps the message.
      if (stored?.handle === handle) this.#stored.delete(stored.id);
      return undefined;
    });
  }

  async extend(held: readonly MessageHandle[], seconds: number): Promise<Failures> {
    return await this.#batch(
      "extend",
      held,
      (stored, handle) => this.#hide(stored, handle, seconds),
    );
  }

  async release(held: readonly MessageHandle[], delaySeconds: number): Promise<Failures> {
    const failures = await this.#batch(
      "release",
      held,
      (stored, handle) => this.#hide(stored, handle, delaySeconds),
    );
    this.#arrive();
    return failures;
  }

  close(): void {}

  #visible(): Stored[] {
    return [...this.#stored.values()].filter(({ visibleAt }) => visibleAt <= this.#clock.now());
  }

  /** Moves messages that were received too often to the dead letters. */
  #moveToDeadLetters(): void {
    for (const { id, receiveCount } of this.#visible()) {
      if (receiveCount < this.#maxReceiveCount) continue;
      this.#stored.delete(id);
      this.deadLetters.push(id);
    }
  }

  #deliver(stored: Stored): Message {
    const now = this.#clock.now();
    stored.receiveCount++;
    stored.visibleAt = now + this.leaseSeconds * 1000;
    stored.handle = `${stored.id}/${++this.#handles}`;
    stored.receivedAt = now;
    const { id, body, sentAt, receiveCount, handle } = stored;
    return { id, body, sentAt, receiveCount, handle };
  }

  #hide(stored: Stored | undefined, handle: string, seconds: number): string | undefined {
    const now = this.#clock.now();
    if (stored?.handle !== handle) return "ReceiptHandleIsInvalid";
    if (stored.visibleAt <= now) return "MessageNotInflight";
    if (now + seconds * 1000 > stored.receivedAt + LONGEST_MS) return "InvalidParameterValue";
    stored.visibleAt = now + seconds * 1000;
    return undefined;
  }

  async #batch(
    call: Call,
    held: readonly MessageHandle[],
    work: (stored: Stored | undefined, handle: string) => string | undefined,
  ): Promise<Failures> {
    if (held.length === 0) throw new QueueError(call, "EmptyBatchRequest");
    if (held.length > this.batchSize) throw new QueueError(call, "TooManyEntriesInBatchRequest");
    await this.#begin(call, held);
    this.#failIfAway(call);
    const failures = new Map<string, string>();
    for (const entry of held) {
      const code = this.fails(call, entry) ?? work(this.#stored.get(entry.id), entry.handle);
      if (code) failures.set(entry.id, code);
    }
    return failures;
  }

  async #begin(call: Call, held: readonly MessageHandle[]): Promise<void> {
    this.calls[call].push(held.length);
    await this.#gates.get(call);
  }

  #failIfAway(call: Call): void {
    // As when SQS cannot be reached. A queue that does not exist would be a different error.
    if (this.away) throw new QueueError(call, this.away, { isTransient: true });
  }

  #arrive(): void {
    const arrived = this.#arrival;
    this.#arrival = new AbortController();
    arrived.abort();
  }

  /** Waits until a message arrives or becomes visible, or until the wait ends or is aborted. */
  async #change(until: number, signal: AbortSignal): Promise<void> {
    const arrived = this.#arrival.signal;
    const over = new AbortController();
    const wake = () => over.abort();
    signal.addEventListener("abort", wake, { once: true });
    arrived.addEventListener("abort", wake, { once: true });
    const now = this.#clock.now();
    const leases = [...this.#stored.values()].map(({ visibleAt }) => visibleAt - now);
    const next = Math.min(until - now, ...leases.filter((wait) => wait > 0));
    await this.#clock.sleep(next, over.signal);
    signal.removeEventListener("abort", wake);
    arrived.removeEventListener("abort", wake);
  }
}
