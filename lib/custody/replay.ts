import type { OriginalsSealer } from "../pipeline/originals_sealer.ts";
import type { Transformed } from "../pipeline/transform.ts";
import type { Message } from "../queue/queue.ts";
import type { Queryable, Statement } from "../store/postgres/database.ts";
import { toOriginalParameters } from "../store/postgres/postgres_store.ts";
import { upsertOriginalsAlone } from "../store/postgres/sql/batch.ts";
import { commitRejected, takeKey } from "../store/postgres/sql/ledger.ts";
import {
  closeRejected,
  type LockedRejection,
  lockRejected,
} from "../store/postgres/sql/rejected.ts";
import { insertRow } from "../store/postgres/sql/rows.ts";
import type { StoredTable } from "../store/postgres/target_table.ts";
import { type EventRow, type OriginalRow, StoreError } from "../store/store.ts";
import { type KeyChain, OpenError } from "../vault/open.ts";
import { type Databases, vaultWithin } from "../worker/databases.ts";
import { type Justification, recordAudit } from "./audit.ts";

/**
 * What became of a message: `rejected` by the contract or `refused` by Postgres once more, `unopened`
 * (wrong key, or changed), `closed` before, or `unknown`. Only `replayed` and `duplicate` changed anything.
 */
export type ReplayKind =
  | "replayed"
  | "duplicate"
  | "rejected"
  | "refused"
  | "unopened"
  | "closed"
  | "unknown";

/** The end of one replay. */
export interface ReplayOutcome {
  readonly kind: ReplayKind;
  /** The rest of a sentence that begins with the message; no value is in it. */
  readonly said: string;
}

/** Options of {@linkcode Replayer}. */
export interface ReplayerOptions {
  readonly databases: Databases;
  readonly table: StoredTable;
  readonly keys: KeyChain;
  /** As the worker does it, or the rows would differ from its own. */
  readonly transform: (message: Message) => Transformed;
  readonly originals: OriginalsSealer;
  readonly why: Justification;
  /** Tries everything and takes it back: nothing is stored, and nothing is noted in the audit. */
  readonly dryRun: boolean;
}

/** Takes back what a dry run did, and carries its outcome out of the transaction. */
class Undo extends Error {
  constructor(readonly outcome: ReplayOutcome) {
    super("Dry run");
  }
}

/** Brings messages that were set aside through the line again, under their own ids. */
export class Replayer {
  readonly #options: ReplayerOptions;
  readonly #insert: Statement;

  constructor(options: ReplayerOptions) {
    this.#options = options;
    this.#insert = insertRow(options.table);
  }

  /**
   * Replays one message in one transaction. What does not come through stays open as it was.
   *
   * @throws {StoreError} `transient` or `fatal`: this message is as it was, and so would all others be
   */
  async replay(id: string): Promise<ReplayOutcome> {
    const { databases, dryRun } = this.#options;
    try {
      return await databases.database.transaction(async (connection) => {
        const outcome = await this.#bringThrough(connection, id);
        if (dryRun) throw new Undo(outcome);
        return outcome;
      });
    } catch (error) {
      if (error instanceof Undo) return error.outcome;
      if (error instanceof OpenError) return { kind: "unopened", said: `stays: ${error.message}` };
      if (error instanceof StoreError && error.kind === "data") {
        return { kind: "refused", said: `is refused by Postgres: SQLSTATE ${error.code}` };
      }
      throw error;
    }
  }

  async #bringThrough(connection: Queryable, id: string): Promise<ReplayOutcome> {
    const [found] = await connection.query<LockedRejection>(lockRejected, [id]);
    if (!found) return { kind: "unknown", said: "was not set aside, or its body went to a queue" };
    if (found.status !== "open") return { kind: "closed", said: `was ${found.status} before` };
    const transformed = await this.#open(found);
    if (transformed.kind === "rejection") {
      const { reason, field } = transformed.rejection;
      return {
        kind: "rejected",
        said: `is still rejected: ${reason}${field ? ` (${field})` : ""}`,
      };
    }
    const { row, personal } = transformed;
    if (found.outcome === "committed" || !await hasNewKey(connection, row)) {
      await this.#close(connection, row.id, "discarded");
      return {
        kind: "duplicate",
        said: "is a duplicate: its event is on record, it was discarded",
      };
    }
    // A worker locks keys, ledger and vault in this order too, so that the two cannot deadlock.
    await connection.query(commitRejected, [row.id, row.dateSent]);
    await connection.query(this.#insert, [...row.values, row.dateSent]);
    const { rows } = await this.#options.originals.seal([{ ...row, personal }]);
    await this.#close(connection, row.id, "replayed", rows);
    return { kind: "replayed", said: "was replayed" };
  }

  async #open(found: LockedRejection): Promise<Transformed> {
    const { keys, transform } = this.#options;
    const { message_id: id, sealed, key_id, sent_at: sentAt, receive_count: receiveCount } = found;
    const binding = { field: "rejected", mask: id };
    const body = await keys.open(new Uint8Array(sealed), key_id, binding);
    return transform({ id, body, sentAt, receiveCount, handle: "" });
  }

  async #close(
    connection: Queryable,
    id: string,
    status: "replayed" | "discarded",
    originals: readonly OriginalRow[] = [],
  ): Promise<void> {
    const { databases, why, dryRun } = this.#options;
    if (dryRun) return;
    const subjects = [{ field: "rejected", mask: id }];
    try {
      await vaultWithin(databases, connection, async (vault) => {
        if (originals.length > 0) {
          await vault.query(upsertOriginalsAlone, toOriginalParameters(originals));
        }
        // Last, as in `forget`: the audit has one lock for all, and what is held with it is waited for.
        await recordAudit(vault, { action: "replay", subjects, detail: status, ...why });
      });
      await connection.query(closeRejected, [id, status]);
    } catch (error) {
      throw error instanceof StoreError ? notTheRow(error) : error;
    }
  }
}

/** Whether the event is none that is on record under another message's id. */
async function hasNewKey(connection: Queryable, { key, dateSent }: EventRow): Promise<boolean> {
  if (key === undefined) return true;
  const taken = await connection.query(takeKey, [key, dateSent]);
  return taken.length > 0;
}

/** Only the target table may refuse a row; what fails beside it would fail for every other message. */
function notTheRow({ kind, code, message }: StoreError): StoreError {
  return new StoreError(
    kind === "data" ? "fatal" : kind,
    code,
    `The replay could not be noted: ${message}`,
  );
}
