/**
 * The seam to whatever hands messages over. The pipeline knows nothing else of a queue.
 *
 * @module
 */
import { OperationError } from "../base/errors.ts";

/** What the queue hands over. */
export interface Message {
  /** The queue's own id: the same when the message comes again. */
  readonly id: string;
  readonly body: string;
  /** When the producer sent it, in milliseconds since 1970 UTC. */
  readonly sentAt: number;
  /** How often it was handed over, this time included. A queue may know it only approximately. */
  readonly receiveCount: number;
  /** Names this one hand-over; the newest handle of a message is the one that surely works. */
  readonly handle: string;
}

/** A message that is held, as the calls after receiving need it. */
export interface MessageHandle {
  readonly id: string;
  readonly handle: string;
}

/**
 * The ids for which a batch call did not succeed, each with a code (never a value). Every id that is
 * not in it succeeded for certain; an id in it may or may not have.
 */
export type Failures = ReadonlyMap<string, string>;

/** Options of {@linkcode Queue.receive}. */
export interface ReceiveOptions {
  /** How long the queue may wait for a first message, in seconds, 0 to {@linkcode Queue.longestWaitSeconds}. */
  readonly waitSeconds: number;
  /** Gives the call up; messages that were under way come again when their lease is over. */
  readonly signal: AbortSignal;
}

/** A message that Maskline rejected, on its way to a queue for such messages. */
export interface RejectedMessage {
  readonly id: string;
  readonly body: string;
  readonly reason: string;
  readonly field: string | null;
}

/** Rejected messages that were not sent for certain, by id, each with a code. */
export interface Unsent {
  /** Their state is unknown, or the queue failed: sending them again may help. */
  readonly failed: Failures;
  /** The queue refuses the message itself, for example because it is too large. */
  readonly refused: Failures;
}

/** Sends rejected messages to a queue of their own. */
export interface DeadLetterQueue {
  /**
   * Sends messages with their reasons. It does not throw when a call fails, because what an earlier call
   * sent must not be sent again; the caller resends `failed` and gives up on `refused`.
   */
  send(messages: readonly RejectedMessage[]): Promise<Unsent>;
}

/**
 * A queue with leases: a message is hidden for a while after it was handed over, and is then redelivered.
 * The properties are what differs from one kind of queue to the next.
 */
export interface Queue {
  /** How long a message is hidden after it was handed over, in seconds. */
  readonly leaseSeconds: number;

  /** How long a lease can last from the receive on, in seconds, however often it is extended. */
  readonly longestLeaseSeconds: number;

  /** The most messages that one delete, extend or release takes, and one receive gives. */
  readonly batchSize: number;

  /** The longest time that one receive may wait for a first message, in seconds. */
  readonly longestWaitSeconds: number;

  /** The shortest wait after which an empty answer says that the queue is empty, in seconds. */
  readonly reliableWaitSeconds: number;

  /** How many empty answers in a row say that the queue is drained. */
  readonly emptyReceivesWhenDrained: number;

  /**
   * Asks for up to {@linkcode batchSize} messages; none is a normal answer. Several calls may be under
   * way. It has a deadline of its own (the wait and five seconds), after which the connection is
   * dropped. The caller owns what it got: each message must be deleted, released, or left to its lease.
   *
   * @throws {QueueError} the queue could not be asked or did not answer; asking again is safe
   */
  receive(options: ReceiveOptions): Promise<Message[]>;

  /**
   * Removes messages for good. Called only with what is committed. An id among the failures is tried
   * again by the caller; deleting twice does no harm.
   *
   * @throws {QueueError} nothing is known of any of them; trying again is safe
   */
  delete(held: readonly MessageHandle[]): Promise<Failures>;

  /**
   * Hides messages for `seconds` more from now on. A message among the failures may come again at any
   * moment and must not be counted on.
   *
   * @throws {QueueError} nothing is known of any of them
   */
  extend(held: readonly MessageHandle[], seconds: number): Promise<Failures>;

  /**
   * Gives messages back: they can be received again after `delaySeconds`. Failing does no harm but
   * delay, since the lease ends by itself.
   *
   * @throws {QueueError} nothing is known of any of them
   */
  release(held: readonly MessageHandle[], delaySeconds: number): Promise<Failures>;

  /** Drops the connections. */
  close(): void;
}

/** The queue could not do what it was asked. Its message carries codes only, never a part of a message. */
export class QueueError extends OperationError {
  override readonly name = "QueueError";
  /** The service's error code, or the network's (`ECONNREFUSED`). */
  readonly code: string;
  /**
   * Whether asking again may help: the network, the service's own failures, throttling. A queue that does
   * not exist or may not be read stays so. Default false.
   */
  readonly isTransient: boolean;

  constructor(action: string, code: string, { isTransient = false } = {}) {
    super(`Could not ${action}: ${code}`);
    this.code = code;
    this.isTransient = isTransient;
  }
}
