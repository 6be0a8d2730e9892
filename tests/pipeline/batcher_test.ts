import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { Batcher, type BatcherOptions } from "../../lib/pipeline/batcher.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

function create(options: Partial<BatcherOptions> = {}) {
  const clock = new ManualClock();
  const batcher = new Batcher<number>({
    rows: 3,
    weight: 100,
    milliseconds: 200,
    clock,
    ...options,
  });
  const batches: number[][] = [];
  /** Requests a batch, and records it when it is there. */
  const pull = () => void batcher.next().then((batch) => batches.push(batch));
  return { clock, batcher, batches, pull };
}

Deno.test("next() returns a batch when there are as many items as a batch has rows", async () => {
  const { batcher, batches, pull } = create();
  pull();
  batcher.add(1);
  batcher.add(2);
  await settle();
  deepStrictEqual(batches, []);
  batcher.add(3);
  await settle();
  deepStrictEqual(batches, [[1, 2, 3]]);
});

Deno.test("next() returns at most a batch's rows when more items wait", async () => {
  const { batcher, batches, pull } = create();
  for (const item of [1, 2, 3, 4, 5, 6, 7]) batcher.add(item);
  pull();
  pull();
  await settle();
  deepStrictEqual(batches, [[1, 2, 3], [4, 5, 6]]);
  strictEqual(batcher.size, 1);
});

Deno.test("next() returns a batch when the items reach the maximum size", async () => {
  const { batcher, batches, pull } = create();
  pull();
  batcher.add(1, 60);
  batcher.add(2, 40);
  await settle();
  deepStrictEqual(batches, [[1, 2]]);
});

Deno.test("next() leaves an item for the next batch when it would make this one too large", async () => {
  const { batcher, batches, pull } = create();
  batcher.add(1, 60);
  batcher.add(2, 60);
  pull();
  await settle();
  deepStrictEqual(batches, [[1]]);
});

Deno.test("next() returns an item alone when it is larger than a batch may be", async () => {
  const { batcher, batches, pull } = create();
  batcher.add(1, 1_000);
  batcher.add(2, 1);
  pull();
  await settle();
  deepStrictEqual(batches, [[1]]);
});

Deno.test("next() returns a partial batch when the oldest item has waited long enough", async () => {
  const { clock, batcher, batches, pull } = create();
  pull();
  batcher.add(1);
  await clock.advance(150);
  batcher.add(2);
  await clock.advance(49);
  deepStrictEqual(batches, []);
  await clock.advance(1);
  deepStrictEqual(batches, [[1, 2]]);
});

Deno.test("next() measures the wait from the oldest remaining item when an older one was taken", async () => {
  const { clock, batcher, batches, pull } = create();
  pull();
  batcher.add(1);
  await clock.advance(100);
  for (const item of [2, 3, 4]) batcher.add(item);
  pull();
  await clock.advance(199);
  deepStrictEqual(batches, [[1, 2, 3]]);
  await clock.advance(1);
  deepStrictEqual(batches, [[1, 2, 3], [4]]);
});

Deno.test("next() returns a late batch at once when its items waited while all committers were busy", async () => {
  const { clock, batcher, batches, pull } = create();
  batcher.add(1);
  await clock.advance(500);
  pull();
  await settle();
  deepStrictEqual(batches, [[1]]);
});

Deno.test("next() serves its callers in order when several wait", async () => {
  const { batcher, pull, batches } = create({ rows: 1 });
  pull();
  pull();
  batcher.add(1);
  batcher.add(2);
  await settle();
  deepStrictEqual(batches, [[1], [2]]);
});

Deno.test("add() starts only one timer when many items are added", async () => {
  const { clock, batcher, pull } = create({ rows: 1_000 });
  pull();
  for (let item = 0; item < 100; item++) batcher.add(item);
  strictEqual(clock.sleeping, 1);
});

Deno.test("add() starts no timer when no caller waits for a batch", () => {
  const { clock, batcher } = create();
  batcher.add(1);
  strictEqual(clock.sleeping, 0);
});

Deno.test("close() returns the remaining items in full batches and a last partial one", async () => {
  const { batcher, batches, pull } = create();
  for (const item of [1, 2, 3, 4]) batcher.add(item);
  batcher.close();
  pull();
  pull();
  await settle();
  deepStrictEqual(batches, [[1, 2, 3], [4]]);
});

Deno.test("close() returns an empty batch to every caller when no items remain", async () => {
  const { batcher, batches, pull } = create();
  pull();
  pull();
  batcher.close();
  pull();
  await settle();
  deepStrictEqual(batches, [[], [], []]);
});

Deno.test("close() leaves no timer running when items waited for one", async () => {
  const { clock, batcher, pull } = create();
  pull();
  batcher.add(1);
  batcher.close();
  await settle();
  strictEqual(clock.sleeping, 0);
});

Deno.test("add() throws when the batcher is closed", () => {
  const { batcher } = create();
  batcher.close();
  throws(() => batcher.add(1), /is closed/);
});
