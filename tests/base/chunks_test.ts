import { deepStrictEqual, rejects, strictEqual } from "node:assert";
import { forEachChunk } from "../../lib/base/chunks.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("forEachChunk() passes each item once, in chunks of the given size", async () => {
  const groups: (readonly number[])[] = [];
  await forEachChunk([1, 2, 3, 4, 5], 2, 3, async (group) => void groups.push(group));
  deepStrictEqual(groups, [[1, 2], [3, 4], [5]]);
});

Deno.test("forEachChunk() calls nothing when there are no items", async () => {
  await forEachChunk([], 10, 4, () => Promise.reject(new Error("Called")));
});

Deno.test("forEachChunk() runs at most the given number of chunks in parallel when each takes time", async () => {
  let running = 0;
  let most = 0;
  await forEachChunk(Array.from({ length: 20 }), 1, 4, async () => {
    most = Math.max(most, ++running);
    await settle();
    running--;
  });
  strictEqual(most, 4);
});

// In an earlier version the other workers continued with the chunks that the failed one had not started.
Deno.test("forEachChunk() starts no further chunk when one throws", async () => {
  const begun: number[] = [];
  const working = forEachChunk([1, 2, 3, 4, 5, 6], 1, 2, async (group) => {
    const [item = 0] = group;
    begun.push(item);
    await settle();
    if (item === 1) throw new Error("Broken");
  });
  await rejects(working, /Broken/);
  await settle();
  deepStrictEqual(begun, [1, 2]);
});
