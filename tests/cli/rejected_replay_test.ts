import { login } from "../../lib/contract/login.ts";
import { deepStrictEqual, match, strictEqual } from "node:assert";
import { checkCounters } from "../../lib/custody/books.ts";
import { createKeyChain } from "../../lib/vault/open.ts";
import { dumpText } from "../support/dump.ts";
import {
  createRejectedMessages,
  DISCARDED,
  loginBody,
  OPEN,
  type RejectedMessages,
  REPLAYED,
  stateOf,
  usersOf,
} from "../support/rejected_messages.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { batchOf, createStore, eventRow } from "../support/test_store.ts";

const postgres = await sharedPostgres();

const CANARY = "canary7391";
const WHY = ["--reason", "the check was wrong"];
const AUDIT = "SELECT action, field, mask, detail FROM maskline.reveal_audit ORDER BY number";

function books({ store }: RejectedMessages): Promise<readonly string[]> {
  return checkCounters({ database: store.database, contract: login });
}

Deno.test("rejected replay stores the row and the originals and erases the body when an id is given", async () => {
  await using aside = await createRejectedMessages(postgres);
  const { inside } = aside.store;
  await aside.reject("m-1", loginBody({ user_id: "replayed" }));
  deepStrictEqual(await aside.run(["replay", "m-1", ...WHY]), {
    code: 0,
    out: "1 replayed, 0 still rejected, 0 refused, 0 duplicates\n",
    err: "",
  });
  deepStrictEqual(await stateOf(aside), { "m-1": REPLAYED });
  const [row] = await inside.query<Record<string, string>>(
    "SELECT *, create_date::text AS create_date FROM user_logins",
  );
  const { masked_ip = "", masked_device_id = "", ...rest } = row ?? {};
  deepStrictEqual(rest, {
    user_id: "replayed",
    device_type: "android",
    locale: null,
    app_version: 1_002_003,
    // The day on which it was sent (see `rejectedRow()`), not today.
    create_date: "2026-02-03",
  });
  const vault = await inside.query<
    { field: string; mask: string; sealed: Uint8Array; key_id: string; last_seen: string }
  >("SELECT *, last_seen::text AS last_seen FROM maskline.vault ORDER BY field");
  deepStrictEqual(
    vault.map(({ field, mask, last_seen }) => [field, mask, last_seen]),
    [["device_id", masked_device_id, "2026-02-03"], ["ip", masked_ip, "2026-02-03"]],
  );
  const bytes = Uint8Array.fromBase64(aside.settings["VAULT_PRIVATE_KEY"]?.slice(3) ?? "");
  const keys = createKeyChain([{ id: "v1", bytes }]);
  deepStrictEqual(
    await Promise.all(
      vault.map((entry) => keys.open(new Uint8Array(entry.sealed), entry.key_id, entry)),
    ),
    ["a-device", "203.0.113.73"],
  );
  deepStrictEqual(await inside.query(AUDIT), [
    { action: "replay", field: "rejected", mask: "m-1", detail: "replayed" },
  ]);
  deepStrictEqual(await books(aside), ["the ledger has 1 committed and 0 rejected messages"]);
});

Deno.test("rejected replay leaves a message open and prints why when the contract still rejects it", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody({ ip: CANARY }));
  await aside.reject("m-2", `${CANARY} not JSON`);
  await aside.reject("m-3", loginBody({ user_id: "fine" }));
  const { code, out, err } = await aside.run(["replay", "m-1", "m-2", "m-3", ...WHY]);
  deepStrictEqual([code, out], [1, "1 replayed, 2 still rejected, 0 refused, 0 duplicates\n"]);
  strictEqual(
    err,
    "Message m-1 is still rejected: not_an_ip_address (ip)\n" +
      "Message m-2 is still rejected: not_json\n",
  );
  deepStrictEqual(await stateOf(aside), { "m-1": OPEN, "m-2": OPEN, "m-3": REPLAYED });
  deepStrictEqual(await usersOf(aside), ["fine"]);
  strictEqual((await aside.store.inside.query(AUDIT)).length, 1);
  deepStrictEqual(await books(aside), ["the ledger has 1 committed and 2 rejected messages"]);
});

Deno.test("rejected replay stores nothing of a row when Postgres still refuses it", async () => {
  await using aside = await createRejectedMessages(postgres, { dedupeField: "event_id" });
  const { inside } = aside.store;
  await inside.query("ALTER TABLE user_logins ADD CHECK (user_id <> 'canary7391')");
  await aside.reject("m-1", loginBody({ user_id: CANARY, event_id: "e-1" }));
  await aside.reject("m-2", loginBody({ user_id: "fine", event_id: "e-2", ip: "::2" }));
  const { code, out, err } = await aside.run(["replay", "m-1", "m-2", ...WHY]);
  deepStrictEqual([code, out], [1, "1 replayed, 0 still rejected, 1 refused, 0 duplicates\n"]);
  strictEqual(err, "Message m-1 is refused by Postgres: SQLSTATE 23514\n");
  deepStrictEqual(await stateOf(aside), { "m-1": OPEN, "m-2": REPLAYED });
  deepStrictEqual(await inside.query("SELECT key FROM maskline.dedupe"), [{ key: "d:e-2" }]);
  strictEqual((await inside.query("SELECT FROM maskline.vault")).length, 2);
  strictEqual((await inside.query(AUDIT)).length, 1);
  deepStrictEqual(await books(aside), ["the ledger has 1 committed and 1 rejected messages"]);
});

Deno.test("rejected replay discards a message when its event was committed under another message", async () => {
  await using aside = await createRejectedMessages(postgres, { dedupeField: "event_id" });
  const { inside } = aside.store;
  await aside.store.store.commit(batchOf([eventRow("m-0", { user: "first", key: "d:e-1" })]));
  await aside.reject("m-1", loginBody({ event_id: "e-1" }));
  await aside.reject("m-2", loginBody({ user_id: "second", event_id: "e-2" }));
  await aside.reject("m-3", loginBody({ user_id: "third", event_id: "e-2" }));
  const { code, out, err } = await aside.run(["replay", "m-1", "m-2", "m-3", ...WHY]);
  deepStrictEqual([code, out], [1, "1 replayed, 0 still rejected, 0 refused, 2 duplicates\n"]);
  match(
    err,
    /^Message m-1 is a duplicate: its event was committed before, the message was discarded\nMessage m-3 /,
  );
  deepStrictEqual(await stateOf(aside), { "m-1": DISCARDED, "m-2": REPLAYED, "m-3": DISCARDED });
  deepStrictEqual(await usersOf(aside), ["first", "second"]);
  deepStrictEqual(
    (await inside.query<{ detail: string }>(AUDIT)).map(({ detail }) => detail),
    ["discarded", "replayed", "discarded"],
  );
  deepStrictEqual(await books(aside), ["the ledger has 2 committed and 2 rejected messages"]);
});

Deno.test("rejected replay stores no second row when the message is committed in the ledger", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  await aside.store.inside.query("UPDATE maskline.ledger SET outcome = 'committed'");
  const { out } = await aside.run(["replay", "m-1", ...WHY]);
  strictEqual(out, "0 replayed, 0 still rejected, 0 refused, 1 duplicates\n");
  deepStrictEqual([await usersOf(aside), await stateOf(aside)], [[], { "m-1": DISCARDED }]);
});

Deno.test("rejected replay stores the row when the ledger's day was purged", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  await aside.store.inside.query("DELETE FROM maskline.ledger");
  strictEqual((await aside.run(["replay", "m-1", ...WHY])).code, 0);
  deepStrictEqual(await books(aside), [
    "the ledger has 0 committed and 0 rejected messages",
    "1 rows have no ledger entry: another client wrote them",
  ]);
});

Deno.test("rejected replay replays all open messages with a reason, oldest first, when --where-reason is given", async () => {
  await using aside = await createRejectedMessages(postgres);
  const sentAt = Date.UTC(2026, 1, 3);
  for (const [index, id] of ["m-3", "m-1", "m-2"].entries()) {
    await aside.reject(id, loginBody({ user_id: id }), { sentAt: sentAt + index });
  }
  await aside.reject("m-4", loginBody({ ip: CANARY }));
  const line = ["replay", "--where-reason", "store_refused", ...WHY];
  const first = await aside.run([...line, "--limit", "2"]);
  strictEqual(first.out, "2 replayed, 0 still rejected, 0 refused, 0 duplicates\n");
  deepStrictEqual(await usersOf(aside), ["m-1", "m-3"]);
  deepStrictEqual([(await aside.run(line)).code, await usersOf(aside)], [0, ["m-1", "m-2", "m-3"]]);
  deepStrictEqual(await aside.run(line), {
    code: 0,
    out: "0 replayed, 0 still rejected, 0 refused, 0 duplicates\n",
    err: "",
  });
});

Deno.test("rejected replay prints the results and changes nothing when --dry-run is given", async () => {
  await using aside = await createRejectedMessages(postgres, { dedupeField: "event_id" });
  const { inside } = aside.store;
  await inside.query("ALTER TABLE user_logins ADD CHECK (user_id <> 'refused')");
  await aside.store.store.commit(batchOf([eventRow("m-0", { key: "d:e-1" })]));
  await aside.reject("m-1", loginBody({ event_id: "e-1" }));
  await aside.reject("m-2", loginBody({ event_id: "e-2" }));
  await aside.reject("m-3", loginBody({ event_id: "e-3", user_id: "refused" }));
  await aside.reject("m-4", loginBody({ event_id: "e-4", ip: CANARY }));
  const before = await dumpText(inside);
  const { code, out, err } = await aside.run(
    ["replay", "m-1", "m-2", "m-3", "m-4", ...WHY, "--dry-run"],
  );
  deepStrictEqual(
    [code, out],
    [1, "Would be: 1 replayed, 1 still rejected, 1 refused, 1 duplicates\n"],
  );
  match(err, /^Message m-1 is a duplicate.*\nMessage m-3 is refused .*23514\nMessage m-4 is still/);
  strictEqual(await dumpText(inside), before);
});

Deno.test("rejected replay changes nothing in the vault's own database when --dry-run is given", async () => {
  await using aside = await createRejectedMessages(postgres);
  await using vault = await createStore(postgres);
  await aside.reject("m-1", loginBody());
  const before = await dumpText(vault.inside);
  const io = aside.io({ VAULT_DATABASE_URL: vault.inside.url });
  const { out } = await aside.run(["replay", "m-1", ...WHY, "--dry-run"], io);
  match(out, /^Would be: 1 replayed,/);
  strictEqual(await dumpText(vault.inside), before);
});

Deno.test("rejected replay stores no original when VAULT is off", async () => {
  await using aside = await createRejectedMessages(postgres);
  await aside.reject("m-1", loginBody());
  const io = aside.io({ VAULT: "off", VAULT_PUBLIC_KEY: "" });
  strictEqual((await aside.run(["replay", "m-1", ...WHY], io)).code, 0);
  strictEqual((await usersOf(aside)).length, 1);
  deepStrictEqual(await aside.store.inside.query("SELECT FROM maskline.vault"), []);
});

Deno.test("rejected replay stores originals and audit entries in the vault's own database when it has one", async () => {
  await using aside = await createRejectedMessages(postgres);
  await using vault = await createStore(postgres);
  const settings = { VAULT_DATABASE_URL: vault.inside.url };
  await aside.reject("m-1", loginBody());
  await vault.inside.query("ALTER FUNCTION maskline.note_audit RENAME TO gone");
  const failed = await aside.run(["replay", "m-1", ...WHY], aside.io(settings));
  deepStrictEqual([failed.code, await usersOf(aside)], [1, []]);
  deepStrictEqual(await stateOf(aside), { "m-1": OPEN });
  await vault.inside.query("ALTER FUNCTION maskline.gone RENAME TO note_audit");
  strictEqual((await aside.run(["replay", "m-1", ...WHY], aside.io(settings))).code, 0);
  const count = `SELECT (SELECT count(*)::integer FROM maskline.vault) AS originals,
    (SELECT count(*)::integer FROM maskline.reveal_audit) AS entries`;
  deepStrictEqual(await vault.inside.query(count), [{ originals: 2, entries: 1 }]);
  deepStrictEqual(await aside.store.inside.query(count), [{ originals: 0, entries: 0 }]);
  deepStrictEqual(await books(aside), ["the ledger has 1 committed and 0 rejected messages"]);
});
