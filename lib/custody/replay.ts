import { SettingsError } from "../config/read_settings.ts";
import { MaskCache } from "../pipeline/mask_cache.ts";
import { OriginalsSealer } from "../pipeline/originals_sealer.ts";
import { createTransform, type Transformed } from "../pipeline/transform.ts";
import type { Message } from "../queue/queue.ts";
import type { Queryable } from "../store/postgres/database.ts";
import { toOriginalParameters } from "../store/postgres/postgres_store.ts";
import { upsertOriginalsAlone } from "../store/postgres/sql/batch.ts";
import { commitRejected, findKeys, storeKey } from "../store/postgres/sql/ledger.ts";
import {
  closeRejected,
  type LockedRejection,
  lockRejected,
  openRejectedIds,
} from "../store/postgres/sql/rejected.ts";
import { insertRow } from "../store/postgres/sql/rows.ts";
import { checkDeferredConstraints } from "../store/postgres/sql/session.ts";
import type { Statement } from "../store/postgres/statement.ts";
import { type EventRow, type OriginalRow, StoreError } from "../store/store.ts";
import { createKeyChain, type KeyChain, OpenError } from "../vault/open.ts";
import { bindRejectedBody } from "../vault/suite.ts";
import { checkDedupeField, listPersonalFields, toStoredTable } from "../worker/contract.ts";
import type { Databases, Transaction } from "../worker/databases.ts";
import { openKeyPair, openMasker } from "../worker/keys.ts";
import { type Justification, recordAudit } from "./audit.ts";

/**
 * The result for a message: `rejected` by the contract or `refused` by Postgres again, `unopened` (wrong key, or
 * changed), `closed` before, or `unknown`. Only `replayed` and `duplicate` changed anything.
 */
export type ReplayKind =
  | "replayed"
  | "duplicate"
  | "rejected"
  | "refused"
  | "unopened"
  | "closed"
  | "unknown";

/** The result of one replay. */
export interface ReplayOutcome {
  readonly kind: ReplayKind;
  /** The rest of a sentence that begins with the message. It contains no value. */
  readonly description: string;
}

/** Options of {@linkcode openReplayer}. */
export interface ReplayOptions {
  readonly justification: Justification;
  /** Try everything and roll it back: nothing is stored, and nothing is recorded in the audit log. */
  readonly dryRun: boolean;
}

/** Rolls a dry run back, and carries its outcome out of the transaction. */
class Undo extends Error {
  constructor(readonly outcome: ReplayOutcome) {
    super("Dry run");
  }
}

/**
 * Finds the ids of open rejections with a reason, the oldest first.
 *
 * @param limit at most so many, from 1; null for all
 * @throws {StoreError} the database refused or did not answer
 */
export async function findReplayable(
  database: Queryable,
  reason: string,
  limit: number | null,
): Promise<readonly string[]> {
  const rows = await database.query<{ message_id: string }>(openRejectedIds, [reason, limit]);
  return rows.map(({ message_id }) => message_id);
}

/**
 * Opens a replayer that transforms messages as the workers of these settings do.
 *
 * @throws {SettingsError} a key or DEDUPE_FIELD is missing or wrong
 * @throws {StoreError} the database refused or did not answer
 */
export async function openReplayer(
  databases: Databases,
  options: ReplayOptions,
): Promise<Replayer> {
  const { settings, contract } = databases;
  const problems = [...checkDedupeField(settings), ...await findMissingDedupeField(databases)];
  if (settings.VAULT === "on" && !settings.VAULT_PUBLIC_KEY) {
    problems.push("VAULT_PUBLIC_KEY: is not set. Set that of the workers, or VAULT=off");
  }
  if (problems.length > 0) throw new SettingsError(problems);
  const masker = await openMasker(settings, listPersonalFields(contract));
  // The rejected body is erased, so it must be known that what is sealed instead opens.
  const { keys, sealer } = settings.VAULT === "on"
    ? await openKeyPair(settings)
    : { keys: createKeyChain(settings.VAULT_PRIVATE_KEY ?? []), sealer: undefined };
  const transform = createTransform(contract, new MaskCache({ masker }));
  return new Replayer(
    databases,
    { keys, transform, originals: new OriginalsSealer(sealer) },
    options,
  );
}

/** Without the workers' field an event that was committed under its key would become a second row. */
async function findMissingDedupeField({ database, settings }: Databases): Promise<string[]> {
  if (settings.DEDUPE_FIELD !== undefined) return [];
  const [keys] = await database.query<{ present: boolean }>(findKeys);
  return keys?.present
    ? ["DEDUPE_FIELD: is not set, but the workers of this table use one; set the same field"]
    : [];
}

/** What a replayer works with, besides the databases. */
interface Tools {
  readonly keys: KeyChain;
  /** As the worker does it, because the rows must be equal to its own. */
  readonly transform: (message: Message) => Transformed;
  readonly originals: OriginalsSealer;
}

/** Sends rejected messages through the pipeline again, under their own ids. */
export class Replayer {
  readonly #databases: Databases;
  readonly #tools: Tools;
  readonly #options: ReplayOptions;
  readonly #insert: Statement;

  constructor(databases: Databases, tools: Tools, options: ReplayOptions) {
    this.#databases = databases;
    this.#tools = tools;
    this.#options = options;
    this.#insert = insertRow(toStoredTable(databases.contract));
  }

  /**
   * Replays one message in one transaction. A message that is not replayed stays open.
   *
   * @throws {StoreError} `transient` or `fatal`: this message is unchanged, and the others would fail as well
   */
  async replay(id: string): Promise<ReplayOutcome> {
    try {
      return await this.#databases.transaction(async (transaction) => {
        const outcome = await this.#process(transaction, id);
        if (this.#options.dryRun) throw new Undo(outcome);
        return outcome;
      });
    } catch (error) {
      if (error instanceof Undo) return error.outcome;
      if (error instanceof OpenError) {
        return { kind: "unopened", description: `stays open: ${error.message}` };
      }
      if (error instanceof StoreError && error.kind === "data") {
        return { kind: "refused", description: `is refused by Postgres: SQLSTATE ${error.code}` };
      }
      throw error;
    }
  }

  async #process(transaction: Transaction, id: string): Promise<ReplayOutcome> {
    const { database } = transaction;
    const [found] = await database.query<LockedRejection>(lockRejected, [id]);
    if (!found) {
      return { kind: "unknown", description: "was not rejected, or its body was sent to a queue" };
    }
    if (found.status !== "open") {
      return { kind: "closed", description: `was ${found.status} before` };
    }
    const transformed = await this.#open(found);
    if (transformed.kind === "rejection") {
      const { reason, field } = transformed.rejection;
      const where = field ? ` (${field})` : "";
      return { kind: "rejected", description: `is still rejected: ${reason}${where}` };
    }
    const { row, personal } = transformed;
    if (found.outcome === "committed" || !await hasNewKey(database, row)) {
      await this.#close(transaction, row.id, "discarded");
      return {
        kind: "duplicate",
        description: "is a duplicate: its event was committed before, the message was discarded",
      };
    }
    // A worker locks keys, ledger and vault in this order too, so that the two cannot deadlock.
    await database.query(commitRejected, [row.id, row.dateSent]);
    await database.query(this.#insert, [...row.values, row.dateSent]);
    // Otherwise a deferred constraint refuses the row at the commit: too late for the vault, and never in a dry run.
    await database.query(checkDeferredConstraints);
    const { rows } = await this.#tools.originals.seal([{ ...row, personal }]);
    await this.#close(transaction, row.id, "replayed", rows);
    return { kind: "replayed", description: "was replayed" };
  }

  async #open(found: LockedRejection): Promise<Transformed> {
    const { keys, transform } = this.#tools;
    const { message_id: id, sealed, key_id, sent_at: sentAt, receive_count: receiveCount } = found;
    const body = await keys.open(new Uint8Array(sealed), key_id, bindRejectedBody(id));
    return transform({ id, body, sentAt, receiveCount, handle: "" });
  }

  async #close(
    { database, inVault }: Transaction,
    id: string,
    status: "replayed" | "discarded",
    originals: readonly OriginalRow[] = [],
  ): Promise<void> {
    const { justification, dryRun } = this.#options;
    if (dryRun) return;
    const subjects = [bindRejectedBody(id)];
    try {
      await database.query(closeRejected, [id, status]);
      await inVault(async (vault) => {
        if (originals.length > 0) {
          await vault.query(upsertOriginalsAlone, toOriginalParameters(originals));
        }
        // Last, as in `forget`: the audit log has one lock for all commands.
        await recordAudit(vault, { action: "replay", subjects, detail: status, ...justification });
      });
    } catch (error) {
      throw error instanceof StoreError ? toSetupError(error) : error;
    }
  }
}

/** Returns whether no other message committed the event, by its key. */
async function hasNewKey(database: Queryable, { key, dateSent }: EventRow): Promise<boolean> {
  if (key === undefined) return true;
  const stored = await database.query(storeKey, [key, dateSent]);
  return stored.length > 0;
}

/** Only the target table may refuse a row. What fails next to it would fail for every other message. */
function toSetupError({ kind, code, message }: StoreError): StoreError {
  return new StoreError(
    kind === "data" ? "fatal" : kind,
    code,
    `The replay could not be recorded: ${message}`,
  );
}
