import type { CountersSnapshot } from "../../lib/pipeline/counters.ts";
import { type Limits, Pipeline, type PipelineOptions } from "../../lib/pipeline/pipeline.ts";
import { formatUtcDate, type Transformed } from "../../lib/pipeline/transform.ts";
import type { Message } from "../../lib/queue/queue.ts";
import { FakeQueue, type FakeQueueOptions } from "./fake_queue.ts";
import { FakeStore } from "./fake_store.ts";
import { ManualClock } from "./manual_clock.ts";

/** Limits that are small enough to be reached. */
const LIMITS: Limits = {
  batchRows: 50,
  batchMilliseconds: 200,
  maxInFlight: 200,
  maxPollers: 4,
  maxMessagesPerSecond: 0,
  committers: 2,
  stopSeconds: 20,
};

/** Options of {@linkcode createLine}. */
export interface FakeLineOptions extends Partial<Omit<PipelineOptions, "limits" | "queue">> {
  readonly limits?: Partial<Limits>;
  readonly queue?: Partial<FakeQueueOptions>;
}

/** Starts a pipeline on a queue, a store and a clock that a test controls. */
export function createLine(options: FakeLineOptions = {}) {
  const { limits, queue: queueOptions, ...rest } = options;
  const clock = new ManualClock();
  const queue = new FakeQueue({ clock, ...queueOptions });
  const store = new FakeStore();
  const line = { clock, queue, store };
  return { ...line, ...startOn(line, { ...rest, limits: { ...LIMITS, ...limits } }) };
}

/** Starts a pipeline on an existing line, and records how it ends. */
export function startOn(
  { clock, queue, store }: { clock: ManualClock; queue: FakeQueue; store: FakeStore },
  options: Partial<PipelineOptions> = {},
  stop = new AbortController(),
) {
  const pipeline = new Pipeline({
    queue,
    store,
    transform,
    keepRejected: async (messages) =>
      messages.map(() => ({ bytes: new Uint8Array(), keyId: "v1" })),
    limits: LIMITS,
    clock,
    ...options,
  });
  const result: { books?: CountersSnapshot; error?: unknown } = {};
  const running = pipeline.run(stop.signal).then(
    (books) => void (result.books = books),
    (error) => void (result.error = error),
  );
  return {
    pipeline,
    stop,
    running,
    result,
    ended: () => result.books !== undefined || result.error !== undefined,
  };
}

/** Transforms a body `bad` into a rejection, and every other one into a row. */
function transform({ id, body, sentAt }: Message): Transformed {
  if (body === "bad") {
    return { kind: "rejection", rejection: { reason: "not_json", field: null, storeCode: null } };
  }
  return {
    kind: "row",
    row: { id, dateSent: formatUtcDate(sentAt), values: [body] },
    personal: [],
    unknownFields: 0,
  };
}
