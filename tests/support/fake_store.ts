import {
  type Batch,
  type CommitResult,
  type EventRow,
  type OriginalRow,
  type RejectedRow,
  type Store,
  StoreError,
  type StoreErrorKind,
} from "../../lib/store/store.ts";

/** A failure of the next commit. */
export interface CommitFailure {
  readonly kind: StoreErrorKind;
  /** Whether the batch is committed and only the answer is lost. */
  readonly committed?: boolean;
}

/** A store that behaves as Postgres does: a ledger, rows, rejections, and faults on demand. */
export class FakeStore implements Store {
  /** Which batch committed an id. */
  readonly ledger = new Map<string, string>();
  /** Keys of events that were committed, with the batch. */
  readonly keys = new Map<string, string>();
  readonly rows: EventRow[] = [];
  readonly rejections: RejectedRow[] = [];
  /** Originals by field and mask, as `ip k1.x`. */
  readonly originals = new Map<string, OriginalRow>();
  /** Every batch of an attempted commit, in order. */
  readonly tried: Batch[] = [];
  /** Ids whose rows violate a constraint of the table, and those whose rejections do. */
  readonly badRows = new Set<string>();
  readonly badRejections = new Set<string>();
  /** While true every call fails as transient. */
  away = false;
  /** While true every commit fails as fatal. */
  broken = false;
  /** How the next commits fail, one after the other. For `undefined` the commit succeeds. */
  readonly failures: (CommitFailure | undefined)[] = [];
  probes = 0;
  #gate: Promise<void> | undefined;
  #committing = 0;
  /** Batches whose commit ended without an answer. They may be committed. */
  readonly #unsure = new Set<string>();
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;

  /** Commits under way. */
  get committing(): number {
    return this.#committing;
  }

  /** Blocks further commits before they do anything, until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = undefined;
      resolve();
    };
  }

  async commit(batch: Batch): Promise<CommitResult> {
    this.tried.push(batch);
    const failure = this.failures.shift();
    this.#committing++;
    try {
      await Promise.race([this.#gate, this.#gate && this.#closed.promise]);
    } finally {
      this.#committing--;
    }
    const triedBefore = this.#unsure.has(batch.id);
    this.#unsure.add(batch.id);
    try {
      this.#failIfAway();
      if (this.broken) throw errorOf("fatal");
      if (failure && !failure.committed) throw errorOf(failure.kind);
      const result = this.#write(batch, triedBefore);
      if (failure) throw errorOf(failure.kind);
      this.#unsure.delete(batch.id);
      return result;
    } catch (error) {
      // It was definitely refused.
      if (error instanceof StoreError && error.kind !== "transient") this.#unsure.delete(batch.id);
      throw error;
    }
  }

  async probe(): Promise<void> {
    this.probes++;
    this.#failIfAway();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve();
  }

  #failIfAway(): void {
    if (this.#isClosed) throw new StoreError("transient", "closed", "The store was closed");
    if (this.away) throw new StoreError("transient", "ECONNREFUSED", "The store is unavailable");
  }

  #write({ id: batch, events, rejections, originals }: Batch, triedBefore: boolean): CommitResult {
    const ids = [...events, ...rejections].map(({ id }) => id);
    if (new Set(ids).size < ids.length) throw new Error(`An id is in batch ${batch} twice`);
    const keys = events.flatMap(({ key }) => key ?? []);
    if (new Set(keys).size < keys.length) throw new Error(`A key is in batch ${batch} twice`);
    const fresh = ({ id, key = "" }: { id: string; key?: string }) =>
      !this.ledger.has(id) && !this.keys.has(key);
    const rows = events.filter(fresh);
    const refused = rejections.filter(fresh);
    const isBad = rows.some(({ id }) => this.badRows.has(id)) ||
      refused.some(({ id }) => this.badRejections.has(id));
    if (isBad) throw errorOf("data");
    const written = new Set([...rows, ...refused].map(({ id }) => id));
    // The ids that an attempt committed whose answer was lost are not duplicates.
    const isOurs = (id: string) => triedBefore && this.ledger.get(id) === batch;
    const duplicates = ids.filter((id) => !written.has(id) && !isOurs(id));
    for (const original of originals) {
      const place = `${original.field} ${original.mask}`;
      if (written.has(original.id) && !this.originals.has(place)) {
        this.originals.set(place, original);
      }
    }
    for (const { id } of [...rows, ...refused]) this.ledger.set(id, batch);
    for (const { key } of rows) if (key !== undefined) this.keys.set(key, batch);
    this.rows.push(...rows);
    // A rejection whose body was sent to a queue is only in the ledger.
    this.rejections.push(...refused.filter(({ sealed }) => sealed));
    return { duplicates: new Set(duplicates) };
  }
}

const codes: Record<StoreErrorKind, string> = { transient: "57P01", data: "22001", fatal: "42P01" };

function errorOf(kind: StoreErrorKind): StoreError {
  return new StoreError(kind, codes[kind], `Postgres refused with SQLSTATE ${codes[kind]}`);
}
