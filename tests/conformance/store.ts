import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert";
import {
  type Batch,
  type EventRow,
  type OriginalRow,
  type Store,
  StoreError,
} from "../../lib/store/store.ts";
import { batchOf, eventRow, rejectedRow, TODAY } from "../support/test_store.ts";

/** The contents of a store, each list in alphabetical order. */
export interface Stored {
  /** The first value of each row: `user-<id>`. */
  readonly rows: string[];
  /** Ids of the rejections. */
  readonly rejections: string[];
  /** `<mask> <sealed as text>` of each original. */
  readonly originals: string[];
}

/** A store of one test, and what the suite needs around it. Its disposal closes all. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store;
  /** Opens another client of the same store, as another worker has one. */
  another(): Promise<Store>;
  /** Reads the current contents. */
  read(): Promise<Stored>;
  /** Changes the event so that the store refuses it for a value with this text. */
  spoil(event: EventRow, text: string): EventRow;
  /** Lets the next commit without originals succeed, and loses its answer. */
  loseNextAnswer(): void;
  /** Lets every commit fail, as in an outage, until the returned function is called. */
  makeUnavailable(): Promise<() => Promise<void>>;
  /** Lets every commit fail permanently. */
  breakPermanently(): Promise<void>;
  /** Blocks commits until `release`. `underWay` resolves when a commit is blocked. */
  hold(): Promise<{ underWay(): Promise<void>; release(): Promise<void> }>;
}

/** Options of {@linkcode testStore}. */
export interface StoreTraits {
  /** Events have keys. Default false. */
  readonly keys?: boolean;
  /**
   * Originals are stored in one transaction with their rows, or before them, so that one can exist
   * without its row. Absent if the store stores none.
   */
  readonly originals?: "with rows" | "before rows";
}

/**
 * Registers the tests that every {@linkcode Store} must pass, for each sentence of its interface.
 *
 * @param name the suffix of the tests' names, such as `PostgresStore`
 * @param open opens an empty store
 */
export function testStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { keys = false, originals }: StoreTraits = {},
): void {
  const test = (what: string, work: (line: StoreUnderTest) => Promise<void>) => {
    Deno.test(`${what} (${name})`, async () => {
      await using line = await open();
      await work(line);
    });
  };
  const event = (id: string, more: Parameters<typeof eventRow>[1] = {}) =>
    eventRow(id, keys ? { key: `d:${id}`, ...more } : more);

  test("commit() stores rows and rejections, and returns no duplicate when all are new", async (line) => {
    const batch = batchOf([event("a"), event("b")], [rejectedRow("c")]);
    deepStrictEqual(await commit(line.store, batch), []);
    deepStrictEqual(await line.read(), {
      rows: ["user-a", "user-b"],
      rejections: ["c"],
      originals: [],
    });
  });

  test("commit() does nothing when the batch is empty", async (line) => {
    deepStrictEqual(await commit(line.store, batchOf([])), []);
    deepStrictEqual(await line.read(), { rows: [], rejections: [], originals: [] });
  });

  test("commit() returns stored messages as duplicates, and writes the others", async (line) => {
    await line.store.commit(batchOf([event("a")], [rejectedRow("b")]));
    const second = batchOf([event("a"), event("c")], [rejectedRow("b"), rejectedRow("d")]);
    deepStrictEqual(await commit(line.store, second), ["a", "b"]);
    const { rows, rejections } = await line.read();
    deepStrictEqual([rows, rejections], [["user-a", "user-c"], ["b", "d"]]);
  });

  test("commit() returns a duplicate when another client committed it", async (line) => {
    const other = await line.another();
    await other.commit(batchOf([event("a")], [rejectedRow("b")]));
    const { events, rejections } = batchOf([event("a")], [rejectedRow("b")]);
    deepStrictEqual(await commit(line.store, batchOf(events, rejections)), ["a", "b"]);
    strictEqual((await line.read()).rows.length, 1);
  });

  test("commit() returns a duplicate when an event was rejected before, or the reverse", async (line) => {
    await line.store.commit(batchOf([event("a")], [rejectedRow("b")]));
    const swapped = batchOf([event("b")], [rejectedRow("a")]);
    deepStrictEqual(await commit(line.store, swapped), ["a", "b"]);
    const { rows, rejections } = await line.read();
    deepStrictEqual([rows, rejections], [["user-a"], ["b"]]);
  });

  test("commit() returns a duplicate when the rejection's body was sent to a queue", async (line) => {
    const sent = rejectedRow("a", { sealed: null });
    deepStrictEqual(await commit(line.store, batchOf([], [sent])), []);
    deepStrictEqual(await commit(line.store, batchOf([], [sent])), ["a"]);
    deepStrictEqual((await line.read()).rejections, []);
  });

  test("commit() writes each event once when two clients commit the same at once", async (line) => {
    const other = await line.another();
    const ids = Array.from({ length: 30 }, (_, index) => `e${String(index).padStart(2, "0")}`);
    const answers = await Promise.all([
      commit(line.store, batchOf(ids.slice(0, 20).map((id) => event(id)))),
      commit(other, batchOf(ids.slice(10).toReversed().map((id) => event(id)))),
    ]);
    deepStrictEqual((await line.read()).rows, ids.map((id) => `user-${id}`));
    // Each of the ten messages that both have is a duplicate for one of them.
    deepStrictEqual(answers.flat().toSorted(), ids.slice(10, 20));
  });

  test("commit() returns no duplicate that its own attempt committed when the answer was lost", async (line) => {
    const batch = batchOf([event("a"), event("b")], [rejectedRow("c")]);
    line.loseNextAnswer();
    await rejects(line.store.commit(batch), { kind: "transient" });
    deepStrictEqual((await line.read()).rows, ["user-a", "user-b"]);
    await untilRecovered(line.store);
    deepStrictEqual(await commit(line.store, batch), []);
    const { rows, rejections } = await line.read();
    deepStrictEqual([rows, rejections], [["user-a", "user-b"], ["c"]]);
  });

  test("commit() still returns the duplicates of others when the answer was lost", async (line) => {
    const other = await line.another();
    await other.commit(batchOf([event("a")]));
    const batch = batchOf([event("a"), event("b")]);
    line.loseNextAnswer();
    await rejects(line.store.commit(batch), { kind: "transient" });
    await untilRecovered(line.store);
    deepStrictEqual(await commit(line.store, batch), ["a"]);
  });

  test("commit() and probe() are transient when the store is unavailable, and the batch commits later", async (line) => {
    const batch = batchOf([event("a")], [rejectedRow("b")]);
    const recover = await line.makeUnavailable();
    await rejects(line.store.commit(batch), { kind: "transient" });
    await rejects(line.store.probe(), { name: "StoreError", kind: "transient" });
    await rejects(line.store.commit(batch), { kind: "transient" });
    await recover();
    await untilRecovered(line.store);
    deepStrictEqual(await commit(line.store, batch), []);
    const { rows, rejections } = await line.read();
    deepStrictEqual([rows, rejections], [["user-a"], ["b"]]);
  });

  test("commit() commits nothing, and throws a data error, when one row is refused", async (line) => {
    const bad = line.spoil(event("b"), "secret-4711");
    const batch = batchOf([event("a"), bad, event("c")], [rejectedRow("d")]);
    await rejects(line.store.commit(batch), { name: "StoreError", kind: "data" });
    const { rows, rejections } = await line.read();
    deepStrictEqual([rows, rejections], [[], []]);
  });

  test("commit() commits the others when a refused batch is split", async (line) => {
    const bad = line.spoil(event("b"), "secret-4711");
    await rejects(line.store.commit(batchOf([event("a"), bad])), { kind: "data" });
    deepStrictEqual(await commit(line.store, batchOf([event("a")])), []);
    await rejects(line.store.commit(batchOf([bad])), { kind: "data" });
    deepStrictEqual(await commit(line.store, batchOf([], [rejectedRow("b")])), []);
    const { rows, rejections } = await line.read();
    deepStrictEqual([rows, rejections], [["user-a"], ["b"]]);
  });

  test("commit() commits nothing, and throws a fatal error, when the fault is permanent", async (line) => {
    await line.breakPermanently();
    const batch = batchOf([event("a")], [rejectedRow("b")]);
    for (let attempt = 0; attempt < 2; attempt++) {
      await rejects(line.store.commit(batch), { name: "StoreError", kind: "fatal" });
    }
    const { rows, rejections } = await line.read();
    deepStrictEqual([rows, rejections], [[], []]);
  });

  test("commit() throws an error with a code and no value when a row is refused", async (line) => {
    const bad = line.spoil(event("a"), "secret-4711");
    const error = await line.store.commit(batchOf([bad])).then(() => undefined, (reason) => reason);
    ok(error instanceof StoreError);
    match(error.code, /^\w+$/);
    const texts = [error.message, error.stack, error.cause, JSON.stringify(error)];
    for (const text of texts) ok(!String(text).includes("secret-4711"), String(text));
  });

  test("probe() succeeds, and writes nothing, when rows can be committed", async (line) => {
    await line.store.probe();
    deepStrictEqual(await line.read(), { rows: [], rejections: [], originals: [] });
  });

  test("close() lets a commit in progress fail as transient", async (line) => {
    const held = await line.hold();
    const committing = line.store.commit(batchOf([event("a")]));
    const ended = rejects(committing, { name: "StoreError", kind: "transient" });
    await held.underWay();
    await line.store.close();
    await ended;
    await held.release();
  });

  if (keys) testKeys(test, event);
  if (originals) testOriginals(test, event, originals);
}

type Register = (what: string, work: (line: StoreUnderTest) => Promise<void>) => void;
type CreateEvent = (id: string, more?: Parameters<typeof eventRow>[1]) => EventRow;

function testKeys(test: Register, event: CreateEvent): void {
  test("commit() returns a duplicate, and writes nothing, when its key was committed under another id", async (line) => {
    await line.store.commit(batchOf([event("a", { key: "d:1" })]));
    const second = batchOf([event("b", { key: "d:1" }), event("c", { key: "d:2" })]);
    deepStrictEqual(await commit(line.store, second), ["b"]);
    deepStrictEqual((await line.read()).rows, ["user-a", "user-c"]);
  });

  test("commit() still returns a duplicate by key when the answer was lost", async (line) => {
    await line.store.commit(batchOf([event("a", { key: "d:1" })]));
    const batch = batchOf([event("b", { key: "d:1" }), event("c", { key: "d:2" })]);
    line.loseNextAnswer();
    await rejects(line.store.commit(batch), { kind: "transient" });
    await untilRecovered(line.store);
    deepStrictEqual(await commit(line.store, batch), ["b"]);
  });

  test("commit() records no key when the message was rejected before", async (line) => {
    await line.store.commit(batchOf([], [rejectedRow("a")]));
    deepStrictEqual(await commit(line.store, batchOf([event("a", { key: "d:1" })])), ["a"]);
    deepStrictEqual(await commit(line.store, batchOf([event("b", { key: "d:1" })])), []);
  });

  test("commit() records no key when one row of the batch is refused", async (line) => {
    const bad = line.spoil(event("b"), "secret-4711");
    await rejects(line.store.commit(batchOf([event("a", { key: "d:1" }), bad])), { kind: "data" });
    deepStrictEqual(await commit(line.store, batchOf([event("c", { key: "d:1" })])), []);
  });
}

function testOriginals(
  test: Register,
  event: CreateEvent,
  originals: NonNullable<StoreTraits["originals"]>,
): void {
  test("commit() stores the originals of new events", async (line) => {
    const batch = batchOf([event("a"), event("b")], [], [original("a"), original("b")]);
    await line.store.commit(batch);
    deepStrictEqual((await line.read()).originals, ["k1.a sealed a", "k1.b sealed b"]);
  });

  test("commit() does not change an original when it exists", async (line) => {
    await line.store.commit(batchOf([event("a")], [], [original("a", "k1.same")]));
    await line.store.commit(batchOf([event("b")], [], [original("b", "k1.same")]));
    deepStrictEqual((await line.read()).originals, ["k1.same sealed a"]);
  });

  test("commit() stores no original when its event is not new", async (line) => {
    await line.store.commit(batchOf([event("a")]));
    const again = batchOf([event("a"), event("b")], [], [original("a"), original("b")]);
    deepStrictEqual(await commit(line.store, again), ["a"]);
    deepStrictEqual((await line.read()).originals, ["k1.b sealed b"]);
  });

  test("commit() stores an original once when its batch is committed again", async (line) => {
    const recover = await line.makeUnavailable();
    const batch = batchOf([event("a")], [], [original("a")]);
    await rejects(line.store.commit(batch), { kind: "transient" });
    await recover();
    await untilRecovered(line.store);
    await line.store.commit(batch);
    const { rows, originals } = await line.read();
    deepStrictEqual([rows, originals], [["user-a"], ["k1.a sealed a"]]);
  });

  if (originals === "with rows") {
    test("commit() stores no original when its row is refused", async (line) => {
      const bad = line.spoil(event("a"), "secret-4711");
      await rejects(line.store.commit(batchOf([bad], [], [original("a")])), { kind: "data" });
      deepStrictEqual((await line.read()).originals, []);
    });
  }
}

/** Creates an original of an event. Its bytes are not really sealed. */
function original(id: string, mask = `k1.${id}`): OriginalRow {
  const sealed = new TextEncoder().encode(`sealed ${id}`);
  return { id, dateSent: TODAY, field: "ip", mask, sealed, keyId: "v1" };
}

/** Commits, and returns the duplicates in order. */
async function commit(store: Store, batch: Batch): Promise<string[]> {
  return [...(await store.commit(batch)).duplicates].sort();
}

/** Waits until a probe succeeds, as the pipeline does. A connection that was cut may still fail one. */
async function untilRecovered(store: Store): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await store.probe();
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}
