import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { Batcher } from "../../lib/pipeline/batcher.ts";
import { balances, Books } from "../../lib/pipeline/books.ts";
import { Committer, type Item } from "../../lib/pipeline/committer.ts";
import { type HeldMessage, Holdings } from "../../lib/pipeline/holdings.ts";
import { Outage } from "../../lib/pipeline/outage.ts";
import type { SetAside } from "../../lib/pipeline/set_aside.ts";
import type { Transformed } from "../../lib/pipeline/transform.ts";
import { StoreError } from "../../lib/store/store.ts";
import { FakeStore } from "../support/fake_store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { messageOf, SENT_AT } from "../support/messages.ts";

const refusal: Transformed = {
  kind: "refusal",
  refusal: { reason: "missing", field: "ip", sqlstate: null },
};

function rowOf(id: string): Transformed {
  return {
    kind: "row",
    row: { id, dateSent: "2026-02-03", values: [id] },
    personal: [],
    unknownFields: 1,
  };
}

/** A committer whose batches are what `commit` is given, all at once. */
function create(options: { setAside?: SetAside; committers?: number } = {}) {
  const clock = new ManualClock();
  const store = new FakeStore();
  const books = new Books();
  const holdings = new Holdings({ books, clock, maxMessages: 1e4, maxCharacters: 1e9 });
  const batcher = new Batcher<Item>({ rows: 1e4, weight: 1e9, milliseconds: 200, clock });
  const stop = new AbortController();
  const { signal } = stop;
  const outage = new Outage({ probe: () => store.probe(), signal, clock, random: () => 1 });
  const aside: string[] = [];
  const committed: string[] = [];
  const committer = new Committer({
    batcher,
    store,
    setAside: options.setAside ?? (async (letters) => {
      aside.push(...letters.map(({ id }) => id));
      return letters.map(() => ({ bytes: new Uint8Array([1]), keyId: "v1" }));
    }),
    holdings,
    books,
    outage,
    committed: (held) => void committed.push(...held.map(({ handle }) => handle)),
    signal,
  });
  const running = Promise.all(
    Array.from({ length: options.committers ?? 1 }, () => committer.run()),
  );
  // A test that expects a failure awaits it; until then nobody else would catch it.
  running.catch(() => {});
  const hold = (id: string, transformed: Transformed): HeldMessage => {
    const held = holdings.take(messageOf(id));
    ok(held);
    batcher.add({ held, transformed });
    return held;
  };
  return { clock, store, books, holdings, batcher, stop, outage, aside, committed, running, hold };
}

Deno.test("run() stores rows and hands their messages on to be deleted", async () => {
  const { clock, store, books, committed, hold } = create();
  hold("a", rowOf("a"));
  hold("b", rowOf("b"));
  await clock.advance(200);
  deepStrictEqual(store.rows.map(({ id }) => id), ["a", "b"]);
  deepStrictEqual(committed, ["a/1", "b/1"]);
  strictEqual(books.snapshot().committed, 2);
  strictEqual(books.unknownFields, 2);
});

Deno.test("run() hands the newest handle on when a message came again while it was held", async () => {
  const { clock, committed, books, holdings, hold } = create();
  hold("a", rowOf("a"));
  holdings.take(messageOf("a", 2));
  await clock.advance(200);
  deepStrictEqual(committed, ["a/2"]);
  strictEqual(books.snapshot().duplicate, 1);
});

Deno.test("run() stores a message once when it comes again while it is committing", async () => {
  const { clock, store, committed, books, holdings, hold } = create();
  const go = store.hold();
  hold("a", rowOf("a"));
  await clock.advance(200);
  strictEqual(holdings.take(messageOf("a", 2)), null);
  go();
  await settle();
  strictEqual(store.rows.length, 1);
  deepStrictEqual(committed, ["a/2"]);
  deepStrictEqual([books.snapshot().committed, books.snapshot().duplicate], [1, 1]);
});

Deno.test("run() books a duplicate and deletes it when another worker had committed it", async () => {
  const { clock, store, books, committed, hold } = create();
  store.ledger.set("a", "a batch of another worker");
  hold("a", rowOf("a"));
  await clock.advance(200);
  strictEqual(store.rows.length, 0);
  strictEqual(books.snapshot().duplicate, 1);
  deepStrictEqual(committed, ["a/1"]);
});

Deno.test("run() stores a rejection with its sealed body when a message is no event", async () => {
  const { clock, store, books, committed, hold } = create();
  hold("a", refusal);
  await clock.advance(200);
  deepStrictEqual(store.rejections, [{
    id: "a",
    dateSent: "2026-02-03",
    sentAt: SENT_AT,
    receiveCount: 1,
    reason: "missing",
    field: "ip",
    sqlstate: null,
    sealed: { bytes: new Uint8Array([1]), keyId: "v1" },
  }]);
  strictEqual(books.snapshot().rejected, 1);
  deepStrictEqual(committed, ["a/1"]);
});

Deno.test("run() leaves out what was let go while it waited", async () => {
  const { clock, store, holdings, committed, hold } = create();
  const lost = hold("a", rowOf("a"));
  hold("b", rowOf("b"));
  holdings.settle(lost, "released");
  await clock.advance(200);
  deepStrictEqual(store.rows.map(({ id }) => id), ["b"]);
  deepStrictEqual(committed, ["b/1"]);
});

Deno.test("run() commits nothing when all of a batch was let go", async () => {
  const { clock, store, holdings, hold } = create();
  holdings.settle(hold("a", rowOf("a")), "released");
  await clock.advance(200);
  strictEqual(store.tried.length, 0);
});

Deno.test("run() commits a message once when it was let go and came again before its batch", async () => {
  const { clock, store, holdings, hold } = create();
  holdings.settle(hold("a", rowOf("a")), "released");
  hold("a", rowOf("a"));
  await clock.advance(200);
  deepStrictEqual(store.tried.map(({ events }) => events.length), [1]);
});

Deno.test("run() marks what it commits, so that a lost lease does not decide its outcome", async () => {
  const { clock, store, hold } = create();
  store.hold();
  const held = hold("a", rowOf("a"));
  strictEqual(held.committing, false);
  await clock.advance(200);
  strictEqual(held.committing, true);
});

Deno.test("run() sorts a batch by id, so that two workers cannot deadlock", async () => {
  const { clock, store, hold } = create();
  for (const id of ["c", "a", "b"]) hold(id, rowOf(id));
  await clock.advance(200);
  deepStrictEqual(store.tried[0]?.events.map(({ id }) => id), ["a", "b", "c"]);
});

Deno.test("run() tries the same batch again when the store was away", async () => {
  const { clock, store, outage, hold } = create();
  store.away = true;
  hold("a", rowOf("a"));
  await clock.advance(60_000);
  strictEqual(outage.active, true);
  store.away = false;
  await clock.advance(60_000);
  const ids = new Set(store.tried.map(({ id }) => id));
  strictEqual(ids.size, 1);
  strictEqual(store.rows.length, 1);
  strictEqual(outage.active, false);
});

Deno.test("run() does not commit while the probe fails", async () => {
  const { clock, store, hold } = create();
  store.away = true;
  hold("a", rowOf("a"));
  await clock.advance(3_600_000);
  strictEqual(store.tried.length, 1);
});

Deno.test("run() books a commit and no duplicate when only the answer got lost", async () => {
  const { clock, store, books, hold } = create();
  store.failures.push({ kind: "transient", committed: true });
  hold("a", rowOf("a"));
  await clock.advance(10_000);
  strictEqual(store.rows.length, 1);
  deepStrictEqual([books.snapshot().committed, books.snapshot().duplicate], [1, 0]);
});

Deno.test("run() sets a row aside and commits the others when the store refuses that row", async () => {
  const { clock, store, books, aside, hold } = create();
  store.badRows.add("b");
  for (const id of ["a", "b", "c"]) hold(id, rowOf(id));
  await clock.advance(200);
  deepStrictEqual(store.rows.map(({ id }) => id).sort(), ["a", "c"]);
  const [rejection] = store.rejections;
  deepStrictEqual(
    [rejection?.id, rejection?.reason, rejection?.sqlstate],
    ["b", "store_refused", "22001"],
  );
  deepStrictEqual(aside, ["b"]);
  deepStrictEqual([books.snapshot().committed, books.snapshot().rejected], [2, 1]);
  ok(balances(books.snapshot()));
});

Deno.test("run() costs at most 25 further commits when one row among 1,000 is bad", async () => {
  const { clock, store, hold } = create();
  store.badRows.add("m619");
  for (let index = 0; index < 1_000; index++) hold(`m${index}`, rowOf(`m${index}`));
  await clock.advance(200);
  strictEqual(store.rows.length, 999);
  ok(store.tried.length - 1 <= 25, `${store.tried.length - 1} further commits`);
});

Deno.test("run() puts a body away once when its batch is tried again and split", async () => {
  const { clock, store, aside, hold } = create();
  store.failures.push({ kind: "transient" });
  store.badRows.add("c");
  hold("a", refusal);
  hold("b", rowOf("b"));
  hold("c", rowOf("c"));
  await clock.advance(10_000);
  deepStrictEqual(aside, ["a", "c"]);
  strictEqual(store.rejections.length, 2);
});

Deno.test("run() gives the parts of a split batch ids of their own", async () => {
  const { clock, store, hold } = create();
  store.badRows.add("a");
  hold("a", rowOf("a"));
  hold("b", rowOf("b"));
  await clock.advance(200);
  strictEqual(new Set(store.tried.map(({ id }) => id)).size, store.tried.length);
});

Deno.test("run() is no outage when the store refuses a row while one is thought to be", async () => {
  const { clock, store, outage, hold } = create();
  store.failures.push({ kind: "transient" });
  store.badRows.add("a");
  hold("a", rowOf("a"));
  await clock.advance(10_000);
  strictEqual(outage.active, false);
});

Deno.test("run() throws and settles nothing when the store says fatal", async () => {
  const { clock, store, holdings, committed, running, hold } = create();
  store.failures.push({ kind: "fatal" });
  hold("a", rowOf("a"));
  await clock.advance(200);
  await rejects(running, { name: "StoreError", kind: "fatal" });
  strictEqual(holdings.size, 1);
  deepStrictEqual(committed, []);
});

Deno.test("run() throws fatal when the store refuses a rejection", async () => {
  const { clock, store, running, hold } = create();
  store.badRejections.add("a");
  hold("a", refusal);
  await clock.advance(200);
  await rejects(running, { kind: "fatal", code: "22001" });
});

// It used to throw the store's own `data`, which stops the worker without saying why.
Deno.test("run() throws fatal when the store refuses a row and its rejection as well", async () => {
  const { clock, store, running, hold } = create();
  store.badRows.add("a");
  store.badRejections.add("a");
  hold("a", rowOf("a"));
  await clock.advance(200);
  await rejects(running, { kind: "fatal", message: /set message a aside/ });
});

Deno.test("run() throws when the store fails with what is no StoreError", async () => {
  const { clock, store, running, hold } = create();
  store.commit = () => Promise.reject(new TypeError("A fault of the program"));
  hold("a", rowOf("a"));
  await clock.advance(200);
  await rejects(running, TypeError);
});

Deno.test("run() lets a message go and commits the others when no place takes its body", async () => {
  const { clock, store, books, holdings, committed, hold } = create({
    setAside: (letters) => Promise.resolve(letters.map(({ id }) => id === "a" ? "refused" : null)),
  });
  for (const id of ["a", "b"]) hold(id, refusal);
  hold("c", rowOf("c"));
  await clock.advance(200);
  deepStrictEqual(store.rows.map(({ id }) => id), ["c"]);
  deepStrictEqual(store.rejections.map(({ id }) => id), ["b"]);
  deepStrictEqual(committed.toSorted(), ["b/1", "c/1"]);
  strictEqual(holdings.size, 0);
  strictEqual(books.snapshot().released, 1);
});

Deno.test("run() ends when the batcher is closed and empty", async () => {
  const { batcher, running } = create({ committers: 3 });
  batcher.close();
  await running;
});

Deno.test("run() commits what is left when the batcher is closed", async () => {
  const { batcher, store, running, hold } = create();
  hold("a", rowOf("a"));
  batcher.close();
  await running;
  strictEqual(store.rows.length, 1);
});

// It used to seal what was left, or send it on to a queue, and then not to commit it.
Deno.test("run() touches nothing that is left when its signal aborted before closing", async () => {
  const { batcher, store, aside, holdings, stop, running, hold } = create();
  hold("a", refusal);
  stop.abort();
  batcher.close();
  await running;
  deepStrictEqual([aside, store.tried], [[], []]);
  strictEqual(holdings.size, 1);
});

Deno.test("run() ends and leaves its messages held when its signal aborts in an outage", async () => {
  const { clock, store, holdings, batcher, stop, running, hold } = create();
  store.away = true;
  hold("a", rowOf("a"));
  await clock.advance(5_000);
  stop.abort();
  batcher.close();
  await running;
  strictEqual(holdings.size, 1);
  strictEqual(clock.sleeping, 0);
});

Deno.test("run() is no outage when a commit fails after its signal aborted", async () => {
  const { clock, store, outage, batcher, stop, running, hold } = create();
  const go = store.hold();
  store.failures.push({ kind: "transient" });
  hold("a", rowOf("a"));
  await clock.advance(200);
  stop.abort();
  batcher.close();
  go();
  await running;
  strictEqual(outage.active, false);
});

Deno.test("run() commits side by side when there are several committers", async () => {
  const { clock, store, hold } = create({ committers: 2 });
  store.hold();
  hold("a", rowOf("a"));
  await clock.advance(200);
  hold("b", rowOf("b"));
  await clock.advance(200);
  strictEqual(store.committing, 2);
});

Deno.test("run() commits all when one of two committers meets an outage and the other does not", async () => {
  const { clock, store, outage, hold } = create({ committers: 2 });
  store.failures.push({ kind: "transient" });
  hold("a", rowOf("a"));
  await clock.advance(200);
  hold("b", rowOf("b"));
  await clock.advance(60_000);
  deepStrictEqual(store.rows.map(({ id }) => id).sort(), ["a", "b"]);
  strictEqual(outage.active, false);
});

Deno.test("run() says transient of nothing that it throws", async () => {
  const { clock, store, running, hold } = create();
  store.failures.push({ kind: "transient" }, { kind: "fatal" });
  hold("a", rowOf("a"));
  await clock.advance(10_000);
  const error = await running.then(() => undefined, (reason) => reason);
  ok(error instanceof StoreError);
  notStrictEqual(error.kind, "transient");
});
