import { login } from "../../lib/contract/login.ts";
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { checkCounters } from "../../lib/custody/books.ts";
import { openSession, type Session } from "../support/open_session.ts";
import { until } from "../support/progress.ts";
import {
  createRejectedMessages,
  loginBody,
  type RejectedMessages,
} from "../support/rejected_messages.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { batchOf, eventRow } from "../support/test_store.ts";

const postgres = await sharedPostgres();

const WHY = ["--reason", "the check was wrong"];
/** The date on which `rejectedRow()` was sent. */
const SENT = "2026-02-03";

/** Blocks every insert into the target table until the returned session has ended. */
async function holdInserts({ store: { inside } }: RejectedMessages): Promise<Session> {
  await inside.query(
    `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM pg_advisory_xact_lock_shared(7391); RETURN NEW; END $$`,
  );
  await inside.query(
    "CREATE TRIGGER hold BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION hold()",
  );
  const session = await openSession(inside.url);
  await session.query("SELECT pg_advisory_lock(7391)");
  return session;
}

/** Resolves when this many sessions wait for a lock. */
async function untilWaiting({ store: { inside } }: RejectedMessages, count: number): Promise<void> {
  const waiting = `SELECT count(*)::integer AS count FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()`;
  await until(() => inside.query<{ count: number }>(waiting), ([row]) => row?.count === count);
}

function books({ store }: RejectedMessages): Promise<readonly string[]> {
  return checkCounters({ database: store.database, contract: login });
}

Deno.test("rejected replay creates one row when two custodians replay a message at once", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  const held = await holdInserts(aside);
  const first = aside.run(["replay", "m-1", ...WHY]);
  await untilWaiting(aside, 1);
  const second = aside.run(["replay", "m-1", ...WHY]);
  await untilWaiting(aside, 2);
  await held.end();
  deepStrictEqual([(await first).code, (await second).code], [0, 1]);
  strictEqual((await second).err, "Message m-1 was replayed before\n");
  strictEqual((await aside.store.inside.query("SELECT FROM user_logins")).length, 1);
  strictEqual((await aside.store.inside.query("SELECT FROM maskline.reveal_audit")).length, 1);
  deepStrictEqual(await books(aside), ["the ledger has 1 committed and 0 rejected messages"]);
});

Deno.test("rejected discard reports a message as replayed when another custodian replays it at the same time", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  const held = await holdInserts(aside);
  const replay = aside.run(["replay", "m-1", ...WHY]);
  await untilWaiting(aside, 1);
  const discard = aside.run(["discard", "m-1", ...WHY]);
  await untilWaiting(aside, 2);
  await held.end();
  deepStrictEqual([(await replay).code, (await discard).code], [0, 1]);
  strictEqual((await discard).err, "Message m-1 was replayed before\n");
});

for (const dedupeField of [undefined, "event_id"]) {
  const how = dedupeField ? ", with DEDUPE_FIELD" : "";

  Deno.test(`commit() returns a duplicate when the message is redelivered while it is replayed${how}`, async () => {
    await using aside = await createRejectedMessages(postgres, dedupeField ? { dedupeField } : {});
    await aside.reject("m-1", loginBody({ user_id: "once", event_id: "e-1" }));
    const held = await holdInserts(aside);
    const replay = aside.run(["replay", "m-1", ...WHY]);
    await untilWaiting(aside, 1);
    const key = dedupeField ? { key: "d:e-1" } : {};
    const again = eventRow("m-1", { dateSent: SENT, user: "once", ...key });
    const other = eventRow("m-2", { user: "other", ...(dedupeField ? { key: "d:e-2" } : {}) });
    const commit = aside.store.store.commit(batchOf([again, other]));
    await untilWaiting(aside, 2);
    await held.end();
    strictEqual((await replay).code, 0, (await replay).err);
    deepStrictEqual([...(await commit).duplicates], ["m-1"]);
    const rows = await aside.store.inside.query("SELECT user_id FROM user_logins ORDER BY user_id");
    deepStrictEqual(rows, [{ user_id: "once" }, { user_id: "other" }]);
    deepStrictEqual(await books(aside), ["the ledger has 2 committed and 0 rejected messages"]);
  });
}

Deno.test("rejected replay reports a duplicate when a worker commits its event at the same time", async () => {
  await using aside = await createRejectedMessages(postgres, { dedupeField: "event_id" });
  await aside.reject("m-1", loginBody({ user_id: "replayed", event_id: "e-1" }));
  const held = await holdInserts(aside);
  const row = eventRow("m-2", { user: "committed", key: "d:e-1" });
  const commit = aside.store.store.commit(batchOf([row]));
  await untilWaiting(aside, 1);
  const replay = aside.run(["replay", "m-1", ...WHY]);
  await untilWaiting(aside, 2);
  await held.end();
  strictEqual((await commit).duplicates.size, 0);
  match((await replay).err, /^Message m-1 is a duplicate/);
  const rows = await aside.store.inside.query("SELECT user_id FROM user_logins");
  deepStrictEqual(rows, [{ user_id: "committed" }]);
  deepStrictEqual(await books(aside), ["the ledger has 1 committed and 1 rejected messages"]);
});
