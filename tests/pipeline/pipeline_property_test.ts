import fc from "fast-check";
import { deepStrictEqual, ok } from "node:assert";
import { isBalanced } from "../../lib/pipeline/counters.ts";
import { createLine, startOn } from "../support/fake_line.ts";
import type { Call } from "../support/fake_queue.ts";

type Line = ReturnType<typeof createLine>;

/** An event in a test of a line. A number from 0 to 1 selects what it affects. */
interface Step {
  readonly name: string;
  readonly at: number;
}

const happenings: Record<string, (line: Line, at: number) => void> = {
  send: ({ queue }, at) => {
    queue.send(Array.from({ length: Math.ceil(at * 40) }, (_, i) => i % 7 === 3 ? "bad" : "good"));
  },
  redeliver: ({ queue }, at) => queue.redeliver(queue.ids[Math.floor(at * queue.ids.length)] ?? ""),
  "mark a bad row": ({ queue, store }, at) => {
    store.badRows.add(queue.ids[Math.floor(at * queue.ids.length)] ?? "");
  },
  "store becomes unavailable": ({ store }) => void (store.away = true),
  "store recovers": ({ store }) => void (store.away = false),
  "commit fails": ({ store }) => void store.failures.push({ kind: "transient" }),
  "answer is lost": ({ store }) => {
    store.failures.push({ kind: "transient", committed: true });
  },
  "queue becomes unavailable": ({ queue }) => void (queue.away = "ECONNREFUSED"),
  "queue recovers": ({ queue }) => void (queue.away = undefined),
  "some calls fail": ({ queue }, at) => {
    const call = (["delete", "extend", "release"] as const satisfies Call[])[Math.floor(at * 3)];
    queue.fails = (other, { id }) =>
      other === call && Number(id.slice(1)) % 3 === 0 ? "InternalError" : undefined;
  },
  "all calls work": ({ queue }) => void (queue.fails = () => undefined),
  wait: () => {},
  "wait long": () => {},
};

const steps = fc.array(
  fc.record<Step>({
    name: fc.oneof(fc.constant("send"), fc.constantFrom(...Object.keys(happenings))),
    // Not fc.double(): it draws all exponents equally often, so that nearly all of its numbers are 0.
    at: fc.integer({ min: 0, max: 999 }).map((number) => number / 1000),
  }),
  { minLength: 5, maxLength: 40, size: "max" },
);

async function take(line: Line, { name, at }: Step): Promise<void> {
  happenings[name]?.(line, at);
  const milliseconds = name === "wait long" ? at * 60_000 : at * 2_000;
  // In pieces, so that the counters are checked during each step too.
  for (let piece = 0; piece < 4; piece++) {
    await line.clock.advance(milliseconds / 4);
    ok(isBalanced(line.pipeline.counters), `${name}: ${JSON.stringify(line.pipeline.counters)}`);
  }
}

function repair({ queue, store }: Line): void {
  queue.away = undefined;
  queue.fails = () => undefined;
  store.away = false;
  store.failures.length = 0;
}

/** Checks that every message is stored or rejected once, and is deleted from the queue. */
function checkAll({ queue, store }: Line, sent: readonly string[]): void {
  const stored = [...store.rows, ...store.rejections].map(({ id }) => id).sort();
  deepStrictEqual(stored, sent);
  deepStrictEqual(queue.ids, []);
}

Deno.test("run() keeps its counters balanced, and loses and duplicates nothing, when any faults happen", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (happening) => {
      const line = createLine();
      for (const step of happening) await take(line, step);
      const sent = line.queue.send(["good"]);
      const all = Array.from({ length: Number(sent[0]?.slice(1)) }, (_, index) => index + 1);
      repair(line);
      await line.clock.advance(300_000);
      checkAll(line, all.map((number) => `m${String(number).padStart(5, "0")}`));
      const { inFlight, committed, rejected } = line.pipeline.counters;
      deepStrictEqual(inFlight, 0);
      deepStrictEqual(committed + rejected, all.length);
      line.stop.abort();
      await line.clock.advance(30_000);
      deepStrictEqual(line.ended(), true);
      deepStrictEqual(line.clock.sleeping, 0);
    }),
    { numRuns: 150 },
  );
});

Deno.test("run() loses and duplicates nothing when it is stopped at any moment and another run continues", async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, async (before, after) => {
      const line = createLine();
      for (const step of before) await take(line, step);
      line.stop.abort();
      for (const step of after) await take(line, step);
      await line.clock.advance(30_000);
      ok(line.ended());
      deepStrictEqual(line.result.books?.inFlight, 0);
      const sent = line.queue.send(["good"]);
      const all = Array.from({ length: Number(sent[0]?.slice(1)) }, (_, index) => index + 1);
      repair(line);
      const next = startOn(line);
      await line.clock.advance(300_000);
      checkAll(line, all.map((number) => `m${String(number).padStart(5, "0")}`));
      ok(isBalanced(next.pipeline.counters));
      next.stop.abort();
      await line.clock.advance(30_000);
      deepStrictEqual(line.clock.sleeping, 0);
    }),
    { numRuns: 100 },
  );
});
