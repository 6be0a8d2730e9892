import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { sealRejected, sendRejected } from "../../lib/pipeline/rejections.ts";
import type { DeadLetterQueue, RejectedMessage, Unsent } from "../../lib/queue/queue.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { open } from "../support/open_sealed.ts";

const { signal } = new AbortController();

function rejectedMessages(...ids: string[]): RejectedMessage[] {
  return ids.map((id) => ({ id, body: `body of ${id}`, reason: "not_json", field: null }));
}

/** Creates a queue for rejected messages that fails for the ids that a test chooses. */
function createSender() {
  const clock = new ManualClock();
  const sent: string[] = [];
  const tried: string[][] = [];
  const failing = new Set<string>();
  const refusing = new Set<string>();
  const sender: DeadLetterQueue = {
    async send(messages): Promise<Unsent> {
      tried.push(messages.map(({ id }) => id));
      const failed = new Map<string, string>();
      const refused = new Map<string, string>();
      for (const { id } of messages) {
        if (failing.has(id)) failed.set(id, "InternalError");
        else if (refusing.has(id)) refused.set(id, "InvalidParameterValue");
        else sent.push(id);
      }
      return { failed, refused };
    },
  };
  return { clock, sent, tried, failing, refusing, keepRejected: sendRejected(sender, clock) };
}

Deno.test("sealRejected() returns bodies that only the vault opens, each tied to its message", async () => {
  const { publicKey, privateKey } = await generateVaultKeys();
  const keepRejected = sealRejected(await createSealer({ id: "v1", bytes: publicKey }));
  const bodies = await keepRejected(rejectedMessages("a", "b"), signal);
  const opened = await Promise.all(bodies.map(async (body, index) => {
    ok(body && body !== "refused");
    const binding = { field: "rejected", mask: index === 0 ? "a" : "b" };
    return await open({ id: body.keyId, bytes: privateKey }, body.bytes.slice(), binding);
  }));
  deepStrictEqual(opened, ["body of a", "body of b"]);
});

Deno.test("sealRejected() creates no data key when there is nothing to seal", async () => {
  const keepRejected = sealRejected({
    keyId: "v1",
    startBatch: () => Promise.reject(new Error("A data key was made")),
  });
  deepStrictEqual(await keepRejected([], signal), []);
});

Deno.test("sendRejected() returns null for each when all were sent", async () => {
  const { keepRejected, sent } = createSender();
  deepStrictEqual(await keepRejected(rejectedMessages("a", "b"), signal), [null, null]);
  deepStrictEqual(sent, ["a", "b"]);
});

Deno.test("sendRejected() sends nothing when nothing is rejected", async () => {
  const { keepRejected, tried } = createSender();
  deepStrictEqual(await keepRejected([], signal), []);
  deepStrictEqual(tried, []);
});

Deno.test("sendRejected() resends only those that failed", async () => {
  const { clock, keepRejected, tried, failing } = createSender();
  failing.add("b");
  const keeping = keepRejected(rejectedMessages("a", "b", "c"), signal);
  await settle();
  failing.clear();
  await clock.advance(100);
  deepStrictEqual(await keeping, [null, null, null]);
  deepStrictEqual(tried, [["a", "b", "c"], ["b"]]);
});

Deno.test("sendRejected() backs off when sending keeps failing", async () => {
  const { clock, keepRejected, tried, failing } = createSender();
  failing.add("a");
  const stop = new AbortController();
  const keeping = keepRejected(rejectedMessages("a"), stop.signal).catch(() => {});
  await clock.advance(3_600_000);
  // At most every 30 s. With jitter, every 15 s on average.
  ok(tried.length > 100 && tried.length < 500, `${tried.length} tries in an hour`);
  stop.abort();
  await keeping;
});

// In an earlier version one message that the queue never accepts, such as a too large one, blocked its batch.
Deno.test("sendRejected() returns refused and continues when the queue refuses one message", async () => {
  const { keepRejected, tried, refusing } = createSender();
  refusing.add("b");
  deepStrictEqual(await keepRejected(rejectedMessages("a", "b"), signal), [null, "refused"]);
  strictEqual(tried.length, 1);
});

Deno.test("sendRejected() throws and leaves no timer when the signal aborts", async () => {
  const { clock, keepRejected, failing } = createSender();
  failing.add("a");
  const stop = new AbortController();
  const keeping = keepRejected(rejectedMessages("a"), stop.signal);
  await settle();
  stop.abort();
  await rejects(keeping, { name: "QueueError", code: "stopped" });
  strictEqual(clock.sleeping, 0);
});
