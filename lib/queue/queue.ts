/**
 * The interface between the pipeline and a queue. The pipeline uses nothing else of a queue.
 *
 * @module
 */
import { OperationError } from "../base/errors.ts";

/** A message as the queue delivers it. */
export interface Message {
  /** The queue's own id. A redelivery has the same id. */
  readonly id: string;
  readonly body: string;
  /** When the producer sent it, in milliseconds since 1970 UTC. */
  readonly sentAt: number;
  /** How often it was delivered, including this time. The number may be approximate. */
  readonly receiveCount: number;
  /** Identifies this delivery. Only the newest handle of a message is certain to work. */
  readonly handle: string;
}

/** The id and handle of a message in flight, for the calls after the receive. */
export interface MessageHandle {
  readonly id: string;
  readonly handle: string;
}

/**
 * The ids that a batch call did not confirm, each with a code (never a value). Every other id succeeded
 * for certain. An id in the map may have succeeded or failed.
 */
export type Failures = ReadonlyMap<string, string>;

/** Options of {@linkcode Queue.receive}. */
export interface ReceiveOptions {
  /** How long the queue may wait for a first message, in seconds, 0 to {@linkcode Queue.longestWaitSeconds}. */
  readonly waitSeconds: number;
  /** Aborts the call. Messages that were being delivered are redelivered when their lease expires. */
  readonly signal: AbortSignal;
}

/** A rejected message that is sent to the dead-letter queue. */
export interface RejectedMessage {
  readonly id: string;
  readonly body: string;
  readonly reason: string;
  readonly field: string | null;
}

/** The rejected messages whose sending the queue did not confirm, by id, each with a code. */
export interface Unsent {
  /** The call failed or its outcome is unknown. Resending may succeed. */
  readonly failed: Failures;
  /** The queue refuses the message permanently, for example because it is too large. */
  readonly refused: Failures;
}

/** Sends rejected messages to a queue. */
export interface DeadLetterQueue {
  /**
   * Sends messages with their reasons. A failed call does not throw, because the messages of earlier
   * calls must not be resent. The caller resends `failed` and gives up on `refused`.
   */
  send(messages: readonly RejectedMessage[]): Promise<Unsent>;
}

/**
 * A queue with leases: a delivered message is hidden for the time of its lease and is then redelivered.
 * The properties describe how one kind of queue differs from another.
 */
export interface Queue {
  /** How long a delivered message is hidden, in seconds. */
  readonly leaseSeconds: number;

  /** Maximum time from the receive to the end of an extended lease, in seconds. */
  readonly longestLeaseSeconds: number;

  /** Maximum number of messages in one receive, delete, extend or release. */
  readonly batchSize: number;

  /** Maximum time that one receive may wait for a first message, in seconds. */
  readonly longestWaitSeconds: number;

  /** Minimum wait after which an empty answer means that the queue is empty, in seconds. */
  readonly reliableWaitSeconds: number;

  /** Number of consecutive empty answers that mean that the queue is drained. */
  readonly emptyReceivesWhenDrained: number;

  /**
   * Receives up to {@linkcode batchSize} messages. No message is a normal answer. Several calls may run in
   * parallel. Each has its own deadline (the wait plus five seconds), after which the connection is
   * dropped. The caller must delete or release each message, or let its lease expire.
   *
   * @throws {QueueError} the queue was not reachable or did not answer; a retry is safe
   */
  receive(options: ReceiveOptions): Promise<Message[]>;

  /**
   * Deletes messages. Called only with committed messages. The caller retries the failures. Deleting a
   * message twice is harmless.
   *
   * @throws {QueueError} the outcome is unknown for all of them; a retry is safe
   */
  delete(messages: readonly MessageHandle[]): Promise<Failures>;

  /**
   * Hides messages for `seconds` from now on. A message among the failures may be redelivered at any
   * moment.
   *
   * @throws {QueueError} the outcome is unknown for all of them
   */
  extend(messages: readonly MessageHandle[], seconds: number): Promise<Failures>;

  /**
   * Releases messages: they can be received again after `delaySeconds`. A failure only causes a delay,
   * because the lease expires.
   *
   * @throws {QueueError} the outcome is unknown for all of them
   */
  release(messages: readonly MessageHandle[], delaySeconds: number): Promise<Failures>;

  /** Closes the connections. */
  close(): void;
}

/** A call to the queue failed. The message contains codes only, never a part of a queue message. */
export class QueueError extends OperationError {
  override readonly name = "QueueError";
  /** The service's error code, or the network's (`ECONNREFUSED`). */
  readonly code: string;
  /**
   * Whether a retry may succeed: after failures of the network or the service, and after throttling. A
   * missing queue or a missing permission is permanent. Default false.
   */
  readonly isTransient: boolean;

  constructor(action: string, code: string, { isTransient = false } = {}) {
    super(`Could not ${action}: ${code}`);
    this.code = code;
    this.isTransient = isTransient;
  }
}
