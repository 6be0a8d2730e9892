import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { sealRejected, sendRejected } from "../../lib/pipeline/rejections.ts";
import type { DeadLetterQueue, RejectedMessage, Unsent } from "../../lib/queue/queue.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { open } from "../support/open_sealed.ts";

const { signal } = new AbortController();

function lettersOf(...ids: string[]): RejectedMessage[] {
  return ids.map((id) => ({ id, body: `body of ${id}`, reason: "not_json", field: null }));
}

/** A queue for rejected messages that fails by id as a test wants it. */
function createSender() {
  const clock = new ManualClock();
  const sent: string[] = [];
  const tried: string[][] = [];
  const failing = new Set<string>();
  const refusing = new Set<string>();
  const sender: DeadLetterQueue = {
    async send(letters): Promise<Unsent> {
      tried.push(letters.map(({ id }) => id));
      const failed = new Map<string, string>();
      const refused = new Map<string, string>();
      for (const { id } of letters) {
        if (failing.has(id)) failed.set(id, "InternalError");
        else if (refusing.has(id)) refused.set(id, "InvalidParameterValue");
        else sent.push(id);
      }
      return { failed, refused };
    },
  };
  return { clock, sent, tried, failing, refusing, setAside: sendRejected(sender, clock) };
}

Deno.test("sealRejected() gives what only the vault opens, each tied to its message", async () => {
  const { publicKey, privateKey } = await generateVaultKeys();
  const setAside = sealRejected(await createSealer({ id: "v1", bytes: publicKey }));
  const bodies = await setAside(lettersOf("a", "b"), signal);
  const opened = await Promise.all(bodies.map(async (body, index) => {
    ok(body && body !== "refused");
    const binding = { field: "rejected", mask: index === 0 ? "a" : "b" };
    return await open({ id: body.keyId, bytes: privateKey }, body.bytes.slice(), binding);
  }));
  deepStrictEqual(opened, ["body of a", "body of b"]);
});

Deno.test("sealRejected() makes no data key when nothing is to be sealed", async () => {
  const setAside = sealRejected({
    keyId: "v1",
    startBatch: () => Promise.reject(new Error("A data key was made")),
  });
  deepStrictEqual(await setAside([], signal), []);
});

Deno.test("sendRejected() gives null for each when all were sent", async () => {
  const { setAside, sent } = createSender();
  deepStrictEqual(await setAside(lettersOf("a", "b"), signal), [null, null]);
  deepStrictEqual(sent, ["a", "b"]);
});

Deno.test("sendRejected() sends nothing when nothing is rejected", async () => {
  const { setAside, tried } = createSender();
  deepStrictEqual(await setAside([], signal), []);
  deepStrictEqual(tried, []);
});

Deno.test("sendRejected() sends only those again that failed", async () => {
  const { clock, setAside, tried, failing } = createSender();
  failing.add("b");
  const setting = setAside(lettersOf("a", "b", "c"), signal);
  await settle();
  failing.clear();
  await clock.advance(100);
  deepStrictEqual(await setting, [null, null, null]);
  deepStrictEqual(tried, [["a", "b", "c"], ["b"]]);
});

Deno.test("sendRejected() waits ever longer when sending keeps failing", async () => {
  const { clock, setAside, tried, failing } = createSender();
  failing.add("a");
  const stop = new AbortController();
  const setting = setAside(lettersOf("a"), stop.signal).catch(() => {});
  await clock.advance(3_600_000);
  // Every 30 s at the most seldom and, by chance, every 15 s on the average.
  ok(tried.length > 100 && tried.length < 500, `${tried.length} tries in an hour`);
  stop.abort();
  await setting;
});

// One letter that the queue never takes, as a too large one, used to hold its batch up for ever.
Deno.test("sendRejected() gives refused and goes on when the queue refuses a letter for itself", async () => {
  const { setAside, tried, refusing } = createSender();
  refusing.add("b");
  deepStrictEqual(await setAside(lettersOf("a", "b"), signal), [null, "refused"]);
  strictEqual(tried.length, 1);
});

Deno.test("sendRejected() throws and leaves no timer when the signal aborts", async () => {
  const { clock, setAside, failing } = createSender();
  failing.add("a");
  const stop = new AbortController();
  const setting = setAside(lettersOf("a"), stop.signal);
  await settle();
  stop.abort();
  await rejects(setting, { name: "QueueError", code: "stopped" });
  strictEqual(clock.sleeping, 0);
});
